using System.Globalization;
using Millrace.Workflows.Documents;

namespace Millrace.Platform.Http;

/// <summary>
/// A refusal that the caller can act on: an RFC 9457 problem with a stable <see cref="Code"/>. Thrown anywhere below an
/// endpoint, answered by <see cref="ProblemHandler"/>.
/// </summary>
public sealed class Problem : Exception
{
    public Problem(int status, string code, string title, string? detail = null, IReadOnlyList<ProblemError>? errors = null)
        : base(detail ?? title)
    {
        Status = status;
        Code = code;
        Title = title;
        Detail = detail;
        Errors = errors;
    }

    public int Status { get; }
    public string Code { get; }
    public string Title { get; }
    public string? Detail { get; }
    public IReadOnlyList<ProblemError>? Errors { get; }

    /// <summary>Headers that belong to the refusal, such as <c>Allow</c> or <c>Retry-After</c>.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    public ProblemBody Body => new("about:blank", Title, Status, Code, Detail, Errors);

    public static Problem NotFound(string code, string title, string? detail = null) => new(404, code, title, detail);

    public static Problem Conflict(string code, string title, string? detail = null) => new(409, code, title, detail);

    /// <summary>One part of the request is wrong: a query parameter, a header, a part of the path.</summary>
    public static Problem Parameter(string name, string message, string? expected = null) =>
        new(400, "request.invalid", "The request is invalid.", $"{name}: {message}",
            [new ProblemError { Code = "request.parameter", Message = message, Parameter = name, Expected = expected }]);

    /// <summary>Parts of the body are not what the route takes.</summary>
    public static Problem Body400(IReadOnlyList<ProblemError> errors) =>
        new(400, "request.invalid", "The request is invalid.", Summarise(errors), errors);

    /// <summary>Says how many errors there are and where the first one is.</summary>
    public static string Summarise(IReadOnlyList<ProblemError> errors)
    {
        var first = errors[0];
        var place = first switch
        {
            { Line: { } line } => string.Create(CultureInfo.InvariantCulture, $"line {line}, column {first.Column}"),
            { Parameter: { } parameter } => parameter,
            { Pointer: "" or null } => "the whole value",
            _ => first.Pointer,
        };
        return errors.Count == 1 ? $"{place}: {first.Message}" : string.Create(CultureInfo.InvariantCulture, $"{errors.Count} errors, the first at {place}: {first.Message}");
    }
}

/// <summary>The body of a refusal: <c>application/problem+json</c> (RFC 9457).</summary>
/// <param name="Code">Stable; what programs decide on.</param>
/// <param name="Errors">Where the cause is, when it can be located.</param>
public sealed record ProblemBody(string Type, string Title, int Status, string Code, string? Detail, IReadOnlyList<ProblemError>? Errors);

/// <summary>One located cause. Which of the places are there depends on what was wrong: a document has lines, an input pointers, a request parameters.</summary>
public sealed record ProblemError
{
    public Severity Severity { get; init; } = Severity.Error;
    public string? Code { get; init; }
    public required string Message { get; init; }

    /// <summary>Counts from 1.</summary>
    public int? Line { get; init; }

    /// <summary>Counts from 1.</summary>
    public int? Column { get; init; }

    /// <summary>JSON pointer (RFC 6901) into the document or the input; empty for the whole of it.</summary>
    public string? Pointer { get; init; }

    /// <summary>JSON pointer into the schema that the value does not fit.</summary>
    public string? Schema { get; init; }

    /// <summary>Name of the query parameter, header or part of the path.</summary>
    public string? Parameter { get; init; }

    /// <summary>What would have been right.</summary>
    public string? Expected { get; init; }
}
