using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Millrace.Engine.Journal;
using Millrace.Storage;

namespace Millrace.Platform.Http;

/// <summary>The one place where exceptions become answers, and where empty refusals of the framework get a body.</summary>
internal sealed class ProblemHandler(ILogger<ProblemHandler> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested) return true;
        var problem = Understand(exception);
        if (problem.Status == 500) log.LogError(exception, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
        try
        {
            await WriteAsync(context, problem);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked has hung up.
        }
        return true;
    }

    /// <summary>Gives a body to refusals that the framework answers with a bare status, such as an unknown route.</summary>
    public static Task WriteBareAsync(StatusCodeContext status)
    {
        var context = status.HttpContext;
        var path = context.Request.Path;
        return WriteAsync(context, context.Response.StatusCode switch
        {
            404 => Problem.NotFound("route.not_found", "There is no such route.", $"{context.Request.Method} {path}"),
            405 => new Problem(405, "route.method_not_allowed", "The route does not take this method.",
                $"{path} takes {context.Response.Headers.Allow}, not {context.Request.Method}."),
            415 => UnsupportedType($"{path} does not take {context.Request.ContentType ?? "a body without content type"}.", context.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes),
            var code => new Problem(code, "request.refused", "The request was refused."),
        });
    }

    public static async Task WriteAsync(HttpContext context, Problem problem)
    {
        if (context.Response.HasStarted) return;
        context.Response.StatusCode = problem.Status;
        foreach (var (name, value) in problem.Headers) context.Response.Headers[name] = value;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(problem.Body, WireJson.Options, "application/problem+json", context.RequestAborted);
    }

    private static Problem Understand(Exception exception) => exception switch
    {
        Problem problem => problem,
        BadHttpRequestException { StatusCode: 413 } => TooLarge(),
        BadHttpRequestException bad => new Problem(bad.StatusCode, "request.malformed", "The request is malformed.", bad.Message),
        StorageUnavailableException storage => new Problem(503, storage.Fault.Code, "The store accepts no writes.", storage.Fault.Detail)
        {
            Headers = new Dictionary<string, string> { ["Retry-After"] = "5" },
        },
        NewerBuildException newer => new Problem(503, "run.newer_build", "Only a newer build can read this run; another process may be one.", newer.Message),
        DamagedRecordException damaged => new Problem(500, "run.damaged_record", "A record of the run's journal is damaged.", damaged.Message),
        // Nothing of the exception is told: it may hold what the caller must not see. The log has it.
        _ => new Problem(500, "server.fault", "The server failed; its log says why."),
    };

    internal static Problem UnsupportedType(string detail, IReadOnlyList<string>? expected) =>
        new(415, "request.unsupported_media_type", "The content type is not supported.", detail,
            [new ProblemError { Code = "request.parameter", Message = detail, Parameter = "Content-Type", Expected = expected is null ? null : string.Join(", ", expected) }]);

    internal static Problem TooLarge() => new(413, "request.too_large", "The body is too long.", "The body is longer than this route takes.");
}
