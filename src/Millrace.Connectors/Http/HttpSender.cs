using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>Sends a call as somebody and judges the answer; what http, openapi and external resources share.</summary>
/// <param name="readsFiles">Whether documents may be files of this machine, which are read with the rights of the server.</param>
/// <param name="stored">Gives what workspaces keep under names; null: they keep nothing.</param>
internal sealed class HttpSender(HttpPool pool, bool readsFiles = false, StoredResources? stored = null)
{
    private const int ExcerptCharsMax = 500;

    private static readonly string[] Hidden = ["Authorization", "Proxy-Authorization", "Cookie"];

    private readonly TokenCache _tokens = new(pool);
    private readonly DigestChallenges _challenges = new();

    public HttpSettings Settings => pool.Settings;

    public bool ReadsFiles => readsFiles;

    public StoredResources? Stored => stored;

    /// <returns>The answer, whose status is one that the call accepts.</returns>
    /// <exception cref="Refusal">No answer, or one of another status: a communication error with that status.</exception>
    public async Task<HttpAnswer> SendAsync(HttpCall call, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        using var deadline = new Deadline(pool.Settings.TotalTimeout, context.Time, cancel);
        call = call with { TraceParent = context.TraceParent, Certificate = AuthenticationPolicy.CertificateOf(policy) };
        var answer = await AuthorizedAsync(call, policy, context, redaction, deadline, a => pool.SendAsync(call, a, redaction, deadline), a => a, static _ => { });
        return answer.IsSuccess || call.Redirect && answer.IsRedirect ? answer : throw Refused(answer, redaction);
    }

    /// <summary>As <see cref="SendAsync"/>, for content that is read while it comes.</summary>
    /// <exception cref="Refusal">No answer, or one that is no success: a communication error with that status.</exception>
    public async Task<HttpExchange> OpenAsync(HttpCall call, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, Deadline deadline)
    {
        call = call with { TraceParent = context.TraceParent, Certificate = AuthenticationPolicy.CertificateOf(policy) };
        var exchange = await AuthorizedAsync(call, policy, context, redaction, deadline, a => pool.OpenAsync(call, a, redaction, deadline), e => e.Head, static e => e.Dispose());
        if (exchange.Head.IsSuccess) return exchange;
        exchange.Dispose();
        throw Refused(exchange.Head, redaction);
    }

    /// <summary>The value of the Authorization header for a call that is not sent here; null without a policy, and where the connection says who calls.</summary>
    public async Task<string?> AuthorizationAsync(AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, Deadline deadline) => policy switch
    {
        null or AuthenticationPolicy.Certificate => null,
        AuthenticationPolicy.Token { Request: var request } => $"Bearer {(await TokenAsync(request, context, redaction, deadline)).Token}",
        AuthenticationPolicy.Fixed ready => ready.Authorization,
        _ => throw Refusal.Configuration("Authentication unsupported", "Digest authentication is part of HTTP requests alone."),
    };

    private static Refusal Refused(HttpAnswer answer, Redaction redaction)
    {
        var said = HttpContentText.Excerpt(answer, ExcerptCharsMax) is { } excerpt ? $": {redaction.Clean(excerpt)}" : ".";
        return Refusal.Communication(answer.Status, redaction.Clean(answer.Reason),
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

    /// <summary>
    /// A token that was kept may have been revoked meanwhile: one that is refused is asked for anew, once. A digest needs the server's challenge:
    /// one that is kept saves a request, and a new one is answered once.
    /// </summary>
    private async Task<T> AuthorizedAsync<T>(HttpCall call, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, Deadline deadline,
        Func<string?, Task<T>> send, Func<T, HttpAnswer> head, Action<T> drop)
    {
        if (policy is AuthenticationPolicy.Digest digest)
        {
            var key = policy.Identity(context.Workspace) + call.Uri.Authority;
            var answer = await send(_challenges.Next(key) is { } known ? known.Answer(digest, call) : null);
            if (head(answer).Status != 401 || DigestChallenge.Of(head(answer)) is not { } challenge) return answer;
            drop(answer);
            _challenges.Keep(key, challenge);
            return await send(challenge.Answer(digest, call));
        }

        if (policy is not AuthenticationPolicy.Token { Request: var request }) return await send((policy as AuthenticationPolicy.Fixed)?.Authorization);
        while (true)
        {
            var (token, kept) = await TokenAsync(request, context, redaction, deadline);
            var answer = await send($"Bearer {token}");
            if (head(answer).Status != 401) return answer;
            _tokens.Forget(request, context.Workspace, token);
            if (!kept) return answer;
            drop(answer);
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
