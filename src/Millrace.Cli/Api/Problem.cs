using Millrace.Jq;

namespace Millrace.Cli.Api;

/// <summary>A refusal of the server (RFC 9457), with what it could locate.</summary>
internal sealed record Problem(int Status, string Code, string Title, string? Detail, IReadOnlyList<Finding> Errors, Json Body)
{
    /// <summary>Reads a problem document; anything else becomes a problem that says what came instead.</summary>
    public static Problem Parse(int status, string? mediaType, ReadOnlySpan<byte> body)
    {
        var json = Json.Null;
        if (mediaType is "application/problem+json" or "application/json")
        {
            try
            {
                json = JsonText.Parse(body);
            }
            catch (JsonTextException)
            {
                // A body that lies about its type is treated like any foreign body.
            }
        }
        return json["code"].StringOrNull is { } code
            ? new Problem(status, code, json["title"].StringOrNull ?? code, json["detail"].StringOrNull, Finding.List(json["errors"]), json)
            : Foreign(status, mediaType);
    }

    private static Problem Foreign(int status, string? mediaType)
    {
        var detail = $"The answer has status {status} and no problem document ({mediaType ?? "no content type"}); is this a Millrace server?";
        return new Problem(status, "server.unexpected_answer", "The server's answer is not understood.", detail, [],
            Json.Object(new("status", status), new("code", "server.unexpected_answer"), new("detail", detail)));
    }
}

/// <summary>One located error or warning: a place in a document (line and column), or a pointer into an input.</summary>
internal sealed record Finding(string Severity, string? Code, string Message, int? Line, int? Column, string? Pointer, string? Schema, string? Expected)
{
    public bool IsError => Severity == "error";

    public static IReadOnlyList<Finding> List(Json items) => items.ArrayOrNull is { } found ? [.. found.Select(Of)] : [];

    private static Finding Of(Json item) => new(
        item["severity"].StringOrNull ?? "error", item["code"].StringOrNull, item["message"].StringOrNull ?? "(no message)",
        Int(item["line"]), Int(item["column"]), item["pointer"].StringOrNull, item["schema"].StringOrNull, item["expected"].StringOrNull);

    private static int? Int(Json value) => value.IsNumber ? (int)value.AsNumber() : null;
}

internal sealed class RefusedException(Problem problem) : Exception(problem.Detail ?? problem.Title)
{
    public Problem Problem { get; } = problem;
}

/// <summary>No answer came from the server.</summary>
internal sealed class UnreachableException(Uri address, string reason) : Exception($"Cannot reach {address}: {reason}")
{
    public Uri Address { get; } = address;
}
