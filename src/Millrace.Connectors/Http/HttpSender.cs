using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>Sends a call as somebody and judges the answer; what http, openapi and external resources share.</summary>
internal sealed class HttpSender(HttpPool pool)
{
    private const int ExcerptCharsMax = 500;

    private static readonly string[] Hidden = ["Authorization", "Proxy-Authorization", "Cookie"];

    private readonly TokenCache _tokens = new(pool);

    public HttpSettings Settings => pool.Settings;

    /// <returns>The answer, whose status is one that the call accepts.</returns>
    /// <exception cref="Refusal">No answer, or one of another status: a communication error with that status.</exception>
    public async Task<HttpAnswer> SendAsync(HttpCall call, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        using var deadline = new Deadline(pool.Settings.TotalTimeout, context.Time, cancel);
        call = call with { TraceParent = context.TraceParent };
        var answer = policy is AuthenticationPolicy.Token { Request: var request }
            ? await SendWithTokenAsync(call, request, context, redaction, deadline)
            : await pool.SendAsync(call, (policy as AuthenticationPolicy.Fixed)?.Authorization, redaction, deadline);
        if (answer.IsSuccess || call.Redirect && answer.IsRedirect) return answer;
        var said = HttpContentText.Excerpt(answer, ExcerptCharsMax) is { } excerpt ? $": {redaction.Clean(excerpt)}" : ".";
        throw Refusal.Communication(answer.Status, redaction.Clean(answer.Reason),
            $"{answer.Request.Method} {redaction.Clean(answer.Request.Uri)} answered {answer.Status} {redaction.Clean(answer.Reason)}{said}");
    }

    /// <summary>The task's output (dsl-reference.md, HTTP Call, output; HTTP Response). Headers that identify somebody are left out of the request.</summary>
    public static Json OutputOf(HttpAnswer answer, HttpOutput output, Redaction redaction)
    {
        switch (output)
        {
            case HttpOutput.Raw:
                return Convert.ToBase64String(answer.Content.Span);
            case HttpOutput.Content:
                return HttpContentText.ValueOf(answer, redaction);
            default:
                var request = new JsonObject.Builder()
                    .Set("method", answer.Request.Method.Method.ToLowerInvariant())
                    .Set("uri", redaction.Clean(answer.Request.Uri.AbsoluteUri))
                    .Set("headers", HeadersOf(answer.Request.Without(Hidden).Headers, redaction));
                return new JsonObject.Builder()
                    .Set("request", request.Build())
                    .Set("statusCode", answer.Status)
                    .Set("headers", HeadersOf(answer.Headers, redaction))
                    .Set("content", HttpContentText.ValueOf(answer, redaction))
                    .Build();
        }
    }

    /// <summary>A token that was kept may have been revoked meanwhile: one that is refused is asked for anew, once.</summary>
    private async Task<HttpAnswer> SendWithTokenAsync(HttpCall call, TokenRequest request, FunctionContext context, Redaction redaction, Deadline deadline)
    {
        while (true)
        {
            var (token, kept) = await TokenAsync(request, context, redaction, deadline);
            var answer = await pool.SendAsync(call, $"Bearer {token}", redaction, deadline);
            if (answer.Status != 401) return answer;
            _tokens.Forget(request, context.Workspace, token);
            if (!kept) return answer;
        }
    }

    private async Task<(string Token, bool Kept)> TokenAsync(TokenRequest request, FunctionContext context, Redaction redaction, Deadline deadline)
    {
        try
        {
            return await _tokens.TokenAsync(request, context.Workspace, redaction, context.Time, deadline.Token);
        }
        catch (OperationCanceledException) when (!deadline.Cancelled)
        {
            throw Refusal.Communication(504, "Request timed out", $"The token endpoint of {redaction.Clean(request.Endpoint)} did not answer in time.");
        }
    }

    private static JsonObject HeadersOf(IEnumerable<KeyValuePair<string, string>> headers, Redaction redaction)
    {
        var members = new JsonObject.Builder();
        foreach (var group in headers.GroupBy(h => h.Key, h => h.Value, StringComparer.OrdinalIgnoreCase))
            members.Set(group.Key, redaction.Clean(string.Join(", ", group)));
        return members.Build();
    }
}
