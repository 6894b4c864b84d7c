using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Millrace.Jq;

namespace Millrace.Connectors.Http.Authentication;

/// <summary>
/// Access tokens that are still good, one request in flight for each key: callers who need the same token wait for the same answer.
/// A caller who gives up does not end the request the others wait for. Failures are not kept. A refresh token that an authority gives in
/// place of the one it was shown is used from then on, as long as this process lives.
/// </summary>
internal sealed class TokenCache(HttpPool pool)
{
    private const int KeysMax = 1000;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LifetimeUnknown = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan DiscoveryLifetime = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, Flight> _flights = new(StringComparer.Ordinal);

    /// <summary>The last refresh token given out, by the key of the request that began with another.</summary>
    private readonly ConcurrentDictionary<string, string> _successors = new(StringComparer.Ordinal);

    private sealed record Kept(Json Value, DateTimeOffset Until);

    private sealed class Flight(Func<Task<Kept>> start)
    {
        private readonly Lazy<Task<Kept>> _task = new(start);

        public Task<Kept> Task => _task.Value;

        public bool IsStale(DateTimeOffset now) =>
            _task.IsValueCreated && _task.Value.IsCompleted && (!_task.Value.IsCompletedSuccessfully || _task.Value.Result.Until <= now);
    }

    /// <returns>The token, and whether it was there before this call.</returns>
    public async Task<(string Token, bool Kept)> TokenAsync(TokenRequest request, Guid workspace, Redaction redaction, TimeProvider time, CancellationToken cancel)
    {
        var key = request.CacheKey(workspace);
        var kept = _flights.TryGetValue(key, out var flight) && flight.Task.IsCompletedSuccessfully && !flight.IsStale(time.GetUtcNow());
        var token = (await ShareAsync(key, () => AskAsync(key, request, redaction, time), time, cancel)).AsString();
        redaction.Add(token);
        return (token, kept);
    }

    /// <summary>Forgets a token that the resource no longer takes.</summary>
    public void Forget(TokenRequest request, Guid workspace, string token)
    {
        var key = request.CacheKey(workspace);
        if (_flights.TryGetValue(key, out var flight) && flight.Task.IsCompletedSuccessfully && flight.Task.Result.Value.StringOrNull == token)
            _flights.TryRemove(new(key, flight));
    }

    private async Task<Json> ShareAsync(string key, Func<Task<Kept>> start, TimeProvider time, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (_flights.TryGetValue(key, out var old) && old.IsStale(now)) _flights.TryRemove(new(key, old));
        if (_flights.Count >= KeysMax) Trim(now);
        var flight = _flights.GetOrAdd(key, _ => new Flight(start));
        try
        {
            return (await flight.Task.WaitAsync(cancel)).Value;
        }
        catch (Refusal)
        {
            _flights.TryRemove(new(key, flight));
            throw;
        }
    }

    private void Trim(DateTimeOffset now)
    {
        foreach (var (key, flight) in _flights)
            if (flight.IsStale(now)) _flights.TryRemove(new(key, flight));
        // All still good: any will do, its owner asks again.
        foreach (var (key, flight) in _flights.Take(Math.Max(0, _flights.Count - KeysMax + 1)))
            _flights.TryRemove(new(key, flight));
    }

    private async Task<Kept> AskAsync(string key, TokenRequest request, Redaction redaction, TimeProvider time)
    {
        using var deadline = new Deadline(pool.Settings.ResponseTimeout, time, CancellationToken.None);
        var endpoint = request.IsDiscovery ? await DiscoverAsync(request, redaction, time) : request.Endpoint;
        var successor = _successors.GetValueOrDefault(key);
        var call = new HttpCall
        {
            Method = HttpMethod.Post,
            Uri = endpoint,
            Headers = [new("Accept", HttpBody.Json), new("Content-Type", request.AsJson ? HttpBody.Json : HttpBody.Form)],
            Body = BodyOf(request, successor, request.Client.ParametersFor(endpoint, time.GetUtcNow(), redaction)),
        };
        var answer = await pool.SendAsync(call, request.Client.Authorization, redaction, deadline);
        if (!answer.IsSuccess)
        {
            // The next try begins with the refresh token the author gave: it may have been renewed.
            _successors.TryRemove(key, out _);
            throw Refused(answer, redaction);
        }
        var token = ReadObject(answer, redaction);
        if (token["refresh_token"].StringOrNull is { Length: > 0 } next) Succeed(key, request, next, redaction);
        var text = TextOf(token, endpoint, redaction);
        CheckIssuer(text, request, endpoint, redaction);
        return new Kept(text, time.GetUtcNow() + LifetimeOf(token["expires_in"]));
    }

    private void Succeed(string key, TokenRequest request, string next, Redaction redaction)
    {
        redaction.Add(next);
        if (!request.Parameters.Any(p => p.Key == TokenRequest.RefreshToken)) return;
        if (_successors.Count >= KeysMax && !_successors.ContainsKey(key)) _successors.Clear();
        _successors[key] = next;
    }

    private static string TextOf(Json token, Uri endpoint, Redaction redaction)
    {
        if (token["access_token"].StringOrNull is not { Length: > 0 } text || text.Any(c => c is <= ' ' or >= '\x7f'))
            throw Refusal.Authentication($"The token endpoint {redaction.Clean(endpoint)} answered without a usable access_token.");
        redaction.Add(text);
        return token["token_type"].StringOrNull is { } type && !type.Equals("bearer", StringComparison.OrdinalIgnoreCase)
            ? throw Refusal.Authentication($"The token endpoint {redaction.Clean(endpoint)} gives tokens of a type other than Bearer.")
            : text;
    }

    private async Task<Uri> DiscoverAsync(TokenRequest request, Redaction redaction, TimeProvider time)
    {
        var found = await ShareAsync($"discovery {request.Endpoint.AbsoluteUri}", async () =>
        {
            using var deadline = new Deadline(pool.Settings.ResponseTimeout, time, CancellationToken.None);
            var call = new HttpCall { Method = HttpMethod.Get, Uri = request.Endpoint, Headers = [new("Accept", HttpBody.Json)] };
            var answer = await pool.SendAsync(call, null, redaction, deadline);
            if (!answer.IsSuccess)
                throw Refusal.Authentication($"The configuration {redaction.Clean(request.Endpoint)} answered {answer.Status} {answer.Reason}.");
            return new Kept(ReadObject(answer, redaction), time.GetUtcNow() + DiscoveryLifetime);
        }, time, CancellationToken.None);
        if (found["issuer"].StringOrNull is not { } issuer || issuer.TrimEnd('/') != request.Authority && !request.Issuers.Contains(issuer, StringComparer.Ordinal))
            throw Refusal.Authentication($"The configuration {redaction.Clean(request.Endpoint)} is of another issuer than the authority, and 'issuers' does not list it.");
        return Uri.TryCreate(found["token_endpoint"].StringOrNull, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https"
            ? endpoint
            : throw Refusal.Authentication($"The configuration {redaction.Clean(request.Endpoint)} names no token_endpoint.");
    }

    private static byte[] BodyOf(TokenRequest request, string? successor, IEnumerable<KeyValuePair<string, string>> client)
    {
        var members = new JsonObject.Builder();
        foreach (var (key, value) in request.Parameters) members.Set(key, key == TokenRequest.RefreshToken ? successor ?? value : value);
        foreach (var (key, value) in client) members.Set(key, value);
        return request.AsJson ? JsonText.ToUtf8(members.Build()) : Encoding.UTF8.GetBytes(HttpBody.FormText(members.Build(), "/parameters"));
    }

    private static Json ReadObject(HttpAnswer answer, Redaction redaction)
    {
        var value = HttpContentText.ValueOf(answer with { MediaType = HttpBody.Json }, redaction);
        return value.IsObject ? value : throw Refusal.Authentication($"{redaction.Clean(answer.Request.Uri)} answered without a JSON object.");
    }

    /// <summary>The endpoint's own error code (RFC 6749, 5.2) says what is wrong; its description may repeat what was sent.</summary>
    private static Refusal Refused(HttpAnswer answer, Redaction redaction)
    {
        string? code = null;
        try
        {
            code = ReadObject(answer, redaction)["error"].StringOrNull;
        }
        catch (Refusal)
        {
            // An error page instead of the JSON of the RFC; the status has to do.
        }
        var said = code is { Length: > 0 and <= 64 } ? $" ({redaction.Clean(code)})" : "";
        return Refusal.Authentication($"The token endpoint {redaction.Clean(answer.Request.Uri)} refused with {answer.Status} {answer.Reason}{said}.");
    }

    private static TimeSpan LifetimeOf(Json seconds)
    {
        var given = seconds.IsNumber ? seconds.AsNumber()
            : double.TryParse(seconds.StringOrNull, NumberStyles.Float, CultureInfo.InvariantCulture, out var read) ? read : double.NaN;
        if (double.IsNaN(given)) return LifetimeUnknown;
        var lifetime = TimeSpan.FromSeconds(Math.Clamp(given, 0, 86400));
        // A token that lives shorter than the skew is still worth keeping for half its life.
        return lifetime > Skew * 2 ? lifetime - Skew : lifetime / 2;
    }

    private static void CheckIssuer(string token, TokenRequest request, Uri endpoint, Redaction redaction)
    {
        if (request.Issuers.Count == 0) return;
        if (JwtIssuer(token) is not { } issuer)
            throw Refusal.Authentication($"The token of {redaction.Clean(endpoint)} is no JWT, so its issuer cannot be checked against 'issuers'.");
        if (!request.Issuers.Contains(issuer, StringComparer.Ordinal))
            throw Refusal.Authentication($"The token of {redaction.Clean(endpoint)} was issued by another issuer than those listed under 'issuers'.");
    }

    private static string? JwtIssuer(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return null;
        try
        {
            return JsonText.Parse(Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlDecode(parts[1]))["iss"].StringOrNull;
        }
        catch (Exception e) when (e is FormatException or JsonTextException)
        {
            return null;
        }
    }
}
