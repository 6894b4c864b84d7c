using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Millrace.Connectors.Tls;

namespace Millrace.Connectors.Http;

/// <summary>
/// Sends requests over connections shared by all runs; keeps the limits, follows redirects, and names what went wrong.
/// Cookies are not kept: they would cross from one run into another.
/// </summary>
internal sealed class HttpPool : IDisposable
{
    /// <summary>Bytes of an answer that is no success which are kept.</summary>
    public const int ExcerptBytesMax = 16 << 10;

    /// <summary>Certificates whose connections are kept.</summary>
    private const int CertificatesMax = 64;

    // Headers that identify somebody do not go on to another origin; the same set that curl and browsers drop.
    private static readonly string[] OriginBound = ["Authorization", "Proxy-Authorization", "Cookie"];
    private static readonly string[] ContentBound = ["Content-Type", "Content-Encoding", "Content-Language", "Content-Location"];

    private readonly HttpSettings _settings;
    private readonly HttpMessageInvoker _invoker;
    private readonly bool _isReplaced;

    /// <summary>By the certificate that their connections are made with.</summary>
    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _certified = new(StringComparer.Ordinal);

    /// <param name="handler">Replaces the sockets, for hosts that bring their own; disposed with this.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public HttpPool(HttpSettings settings, HttpMessageHandler? handler = null)
    {
        _settings = settings.Checked();
        Trust = new Trust(settings.AuthoritiesFile);
        _isReplaced = handler is not null;
        _invoker = new HttpMessageInvoker(handler ?? Sockets(null));
    }

    public HttpSettings Settings => _settings;

    public Trust Trust { get; }

    public void Dispose()
    {
        _invoker.Dispose();
        foreach (var invoker in _certified.Values) invoker.Dispose();
    }

    private SocketsHttpHandler Sockets(ClientCertificate? certificate) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // The step's own span is what is called, so no second one is made, and the address of a call is in no span.
        ActivityHeadersPropagator = null,
        AutomaticDecompression = DecompressionMethods.All,
        ConnectTimeout = _settings.ConnectTimeout,
        PooledConnectionLifetime = _settings.PooledConnectionLifetime,
        MaxResponseHeadersLength = _settings.ResponseHeadersKibMax,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        SslOptions = Trust.OptionsFor(certificate),
    };

    /// <summary>A connection made with a certificate is for calls with that one alone.</summary>
    private HttpMessageInvoker InvokerFor(ClientCertificate? certificate)
    {
        if (certificate is null || _isReplaced) return _invoker;
        // One that is dropped here still serves the calls that hold it; its connections close when they have been idle.
        if (_certified.Count >= CertificatesMax) _certified.Clear();
        return _certified.GetOrAdd(certificate.Identity, _ => new HttpMessageInvoker(Sockets(certificate)));
    }

    /// <summary>Sends the call and, where it asks for that, follows redirects. An answer of any status is returned.</summary>
    /// <param name="authorization">Value of the Authorization header; it does not follow to another origin.</param>
    /// <exception cref="Refusal">No usable answer came.</exception>
    public async Task<HttpAnswer> SendAsync(HttpCall call, string? authorization, Redaction redaction, Deadline deadline)
    {
        if (call.Body?.LongLength > _settings.RequestBytesMax)
            throw Refusal.Configuration("Request too large", $"The request's content has {call.Body.LongLength} bytes, the limit is {_settings.RequestBytesMax}.");
        for (var redirects = 0; ; redirects++)
        {
            var (answer, location) = await SendOnceAsync(call, authorization, redaction, deadline);
            if (!call.Redirect || location is null || Follow(answer, location, redaction) is not { } next) return answer;
            if (redirects >= _settings.RedirectsMax)
                throw Refusal.Communication(answer.Status, "Too many redirects", $"{call.Method} {redaction.Clean(call.Uri)} was redirected more than {_settings.RedirectsMax} times.");
            if (!SameOrigin(call.Uri, next.Uri))
            {
                authorization = null;
                next = next.Without(OriginBound) with { Certificate = null };
            }
            call = next;
        }
    }

    /// <summary>Sends the call and gives its content as it comes; redirects are not followed. An answer of any status is returned.</summary>
    /// <exception cref="Refusal">No usable answer came.</exception>
    public async Task<HttpExchange> OpenAsync(HttpCall call, string? authorization, Redaction redaction, Deadline deadline)
    {
        if (call.Body?.LongLength > _settings.RequestBytesMax)
            throw Refusal.Configuration("Request too large", $"The request's content has {call.Body.LongLength} bytes, the limit is {_settings.RequestBytesMax}.");
        using var message = MessageOf(call, authorization);
        using var hop = deadline.Within(_settings.ResponseTimeout);
        HttpResponseMessage? response = null;
        try
        {
            response = await InvokerFor(call.Certificate).SendAsync(message, hop.Token);
            var success = response.IsSuccessStatusCode;
            var content = success ? default : (await HttpContentReader.ReadStartAsync(response.Content, ExcerptBytesMax, hop.Token)).GetValueOrDefault();
            return new HttpExchange(AnswerOf(call, response, content), response, success ? await response.Content.ReadAsStreamAsync(deadline.Token) : Stream.Null);
        }
        catch (Exception e)
        {
            response?.Dispose();
            if (e is OperationCanceledException && !deadline.Cancelled) throw HttpFailure.TimedOut(call, redaction, hop, deadline);
            if (e is HttpRequestException or IOException or InvalidDataException) throw HttpFailure.Of(e, call, redaction);
            throw;
        }
    }

    private async Task<(HttpAnswer Answer, Uri? Location)> SendOnceAsync(HttpCall call, string? authorization, Redaction redaction, Deadline deadline)
    {
        using var message = MessageOf(call, authorization);
        using var hop = deadline.Within(_settings.ResponseTimeout);
        try
        {
            using var response = await InvokerFor(call.Certificate).SendAsync(message, hop.Token);
            var wanted = (int)response.StatusCode is >= 200 and < 300 || call.Redirect && (int)response.StatusCode is >= 300 and < 400;
            var content = wanted
                ? await HttpContentReader.ReadAsync(response.Content, _settings.ResponseBytesMax, deadline.Token)
                : await HttpContentReader.ReadStartAsync(response.Content, ExcerptBytesMax, hop.Token);
            if (content is null)
                throw Refusal.Communication(502, "Response too large", $"{call.Method} {redaction.Clean(call.Uri)} answered with more than {_settings.ResponseBytesMax} bytes.");
            return (AnswerOf(call, response, content.Value), response.Headers.Location);
        }
        catch (OperationCanceledException) when (!deadline.Cancelled)
        {
            throw HttpFailure.TimedOut(call, redaction, hop, deadline);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException)
        {
            throw HttpFailure.Of(e, call, redaction);
        }
    }

    private HttpRequestMessage MessageOf(HttpCall call, string? authorization)
    {
        var message = new HttpRequestMessage(call.Method, call.Uri);
        if (call.Body is not null) message.Content = new ByteArrayContent(call.Body);
        foreach (var (name, value) in call.Headers)
        {
            if (message.Headers.TryAddWithoutValidation(name, value)) continue;
            message.Content ??= new ByteArrayContent([]);
            message.Content.Headers.TryAddWithoutValidation(name, value);
        }
        if (call.TraceParent is not null && !call.HasHeader("traceparent")) message.Headers.TryAddWithoutValidation("traceparent", call.TraceParent);
        if (authorization is not null)
        {
            message.Headers.Remove("Authorization");
            message.Headers.TryAddWithoutValidation("Authorization", authorization);
        }
        if (_settings.HostOverrides.TryGetValue(call.Uri.Host, out var instead))
        {
            message.Headers.Host ??= call.Uri.Authority;
            message.RequestUri = new UriBuilder(call.Uri) { Scheme = instead.Scheme, Host = instead.Host, Port = instead.Port }.Uri;
        }
        return message;
    }

    private static HttpAnswer AnswerOf(HttpCall call, HttpResponseMessage response, ReadOnlyMemory<byte> content)
    {
        var status = (int)response.StatusCode;
        var headers = response.Headers.Concat(response.Content.Headers).Select(h => new KeyValuePair<string, string>(h.Key, string.Join(", ", h.Value)));
        return new HttpAnswer
        {
            Request = call,
            Status = status,
            Reason = response.ReasonPhrase is { Length: > 0 } reason ? reason
                : ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } known ? known : $"Status {status}",
            Headers = [.. headers],
            MediaType = response.Content.Headers.ContentType?.MediaType,
            Charset = response.Content.Headers.ContentType?.CharSet,
            Content = content,
        };
    }

    /// <summary>The request that follows a redirect (RFC 9110, 15.4); null for a 3xx that names no other place to go.</summary>
    private static HttpCall? Follow(HttpAnswer answer, Uri location, Redaction redaction)
    {
        if (answer.Status is not (301 or 302 or 303 or 307 or 308)) return null;
        var call = answer.Request;
        var target = location.IsAbsoluteUri ? location : new Uri(call.Uri, location);
        if (target.Scheme != Uri.UriSchemeHttps && (target.Scheme != Uri.UriSchemeHttp || call.Uri.Scheme == Uri.UriSchemeHttps) || target.UserInfo.Length > 0)
            throw Refusal.Communication(answer.Status, "Redirect refused",
                $"{call.Method} {redaction.Clean(call.Uri)} was redirected to {redaction.Clean(target)}; from https only https is followed, and no address with credentials.");
        var safe = call.Method == HttpMethod.Get || call.Method == HttpMethod.Head;
        var changes = answer.Status == 303 ? !safe : answer.Status is 301 or 302 && call.Method == HttpMethod.Post;
        return changes
            ? call.Without(ContentBound) with { Uri = target, Method = HttpMethod.Get, Body = null }
            : call with { Uri = target };
    }

    private static bool SameOrigin(Uri left, Uri right) =>
        left.Scheme == right.Scheme && left.Port == right.Port && string.Equals(left.Host, right.Host, StringComparison.OrdinalIgnoreCase);
}
