using Millrace.Jq;

namespace Millrace.Workflows;

/// <summary>An error as the language defines it (dsl-reference.md, Error; RFC 9457): what <c>raise</c> raises and <c>catch</c> catches.</summary>
/// <param name="Type">URI, one of <see cref="ErrorTypes"/> or the author's own.</param>
/// <param name="Status">In the manner of HTTP status codes.</param>
/// <param name="Instance">JSON pointer of the task that raised it; the kernel sets it.</param>
public sealed record WorkflowError(string Type, int Status, string? Title = null, string? Detail = null, string? Instance = null)
{
    public Json ToJson()
    {
        var json = new JsonObject.Builder().Set("type", Type).Set("status", Status);
        if (Title is not null) json.Set("title", Title);
        if (Detail is not null) json.Set("detail", Detail);
        if (Instance is not null) json.Set("instance", Instance);
        return json.Build();
    }

    public static WorkflowError FromJson(Json json) => new(
        json["type"].StringOrNull ?? ErrorTypes.Runtime,
        json["status"] is { IsNumber: true } status ? (int)status.AsNumber() : 500,
        json["title"].StringOrNull, json["detail"].StringOrNull, json["instance"].StringOrNull);
}

/// <summary>
/// The standard error types. The specification's text and its conformance kit use two families of URI for the same
/// types; errors are raised with the first, and a filter written with either matches.
/// </summary>
public static class ErrorTypes
{
    public const string Family = "https://open-workflow-specification.org/spec/1.0.0/errors/";
    public const string OtherFamily = "https://open-workflow-specification.org/dsl/errors/types/";

    public const string Configuration = Family + "configuration";
    public const string Validation = Family + "validation";
    public const string Expression = Family + "expression";
    public const string Authentication = Family + "authentication";
    public const string Authorization = Family + "authorization";
    public const string Timeout = Family + "timeout";
    public const string Communication = Family + "communication";
    public const string Runtime = Family + "runtime";

    /// <summary>The same type in the first family, when it is one of the second.</summary>
    public static string Normalize(string type) =>
        type.StartsWith(OtherFamily, StringComparison.Ordinal) ? string.Concat(Family, type.AsSpan(OtherFamily.Length)) : type;
}
