using System.Globalization;
using System.Text;
using Millrace.Connectors.Http;
using Millrace.Jq;

namespace Millrace.Connectors.Events;

/// <summary>One event for somebody (CloudEvents HTTP protocol binding 1.0.2).</summary>
/// <param name="Structured">The whole event as JSON; else its attributes as headers and its data as the content.</param>
/// <param name="Secret">A token, <c>{token}</c>, or <c>{username, password}</c>; null: nobody is asked who sends.</param>
public sealed record EventToDeliver(Uri Address, Json Event, bool Structured, Json? Secret);

/// <param name="Status">Of the answer; null when none came.</param>
/// <param name="Error">Why it was not taken; null when it was.</param>
public sealed record DeliveryEnd(int? Status, string? Error);

/// <summary>Sends events to addresses over connections of its own.</summary>
/// <param name="handler">Replaces the sockets, for hosts that bring their own; disposed with this.</param>
public sealed class EventDelivery(HttpSettings settings, HttpMessageHandler? handler = null) : IDisposable
{
    private readonly HttpPool _pool = new(settings, handler);

    public void Dispose() => _pool.Dispose();

    public async Task<DeliveryEnd> SendAsync(EventToDeliver what, TimeProvider time, CancellationToken cancel)
    {
        var redaction = new Redaction();
        using var deadline = new Deadline(settings.ResponseTimeout, time, cancel);
        try
        {
            var authorization = what.Secret is { } secret ? AuthorizationOf(secret, redaction) : null;
            var answer = await _pool.SendAsync(CallOf(what), authorization, redaction, deadline);
            return new DeliveryEnd(answer.Status, answer.IsSuccess ? null : $"It answered {answer.Status} {redaction.Clean(answer.Reason)}.");
        }
        catch (Refusal refusal)
        {
            return new DeliveryEnd(null, redaction.Clean(refusal.Message));
        }
    }

    private static string AuthorizationOf(Json secret, Redaction redaction)
    {
        if ((secret.StringOrNull ?? secret["token"].StringOrNull) is { } token)
        {
            redaction.Add(token);
            return token.Length > 0 && token.All(c => c is > ' ' and < '\x7f') ? $"Bearer {token}"
                : throw Refusal.Configuration("Secret invalid", "The secret's token has to be visible ASCII characters without spaces.");
        }
        if (secret["username"].StringOrNull is not { } name || secret["password"].StringOrNull is not { } password)
            throw Refusal.Configuration("Secret invalid", "The secret has to be a token, or an object with token, or with username and password.");
        redaction.Add(password);
        return $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"))}";
    }

    private static HttpCall CallOf(EventToDeliver what)
    {
        var call = new HttpCall { Method = HttpMethod.Post, Uri = what.Address, Headers = [new("User-Agent", "Millrace")] };
        if (what.Structured) return call.With("Content-Type", "application/cloudevents+json; charset=utf-8") with { Body = JsonText.ToUtf8(what.Event) };
        var (body, type) = Content(what.Event);
        foreach (var (name, value) in what.Event.AsObject())
            if (name is not ("data" or "data_base64" or "datacontenttype") && Arguments.TryScalarText(value, out var text)) call = call.With($"ce-{name}", Encoded(text));
        return type is null ? call with { Body = body } : call.With("Content-Type", type) with { Body = body };
    }

    private static (byte[] Body, string? Type) Content(Json e)
    {
        var type = e["datacontenttype"].StringOrNull;
        if (e["data_base64"].StringOrNull is { } bytes) return (Convert.FromBase64String(bytes), type ?? "application/octet-stream");
        if (!e.AsObject().TryGet("data", out var data)) return ([], null);
        type ??= "application/json";
        return data.StringOrNull is { } text && !HttpBody.IsJson(type.Split(';')[0].Trim()) ? (Encoding.UTF8.GetBytes(text), type) : (JsonText.ToUtf8(data), type);
    }

    /// <summary>As header values are written (3.1.3.2): printable ASCII but space, quote and percent; the rest as percent-encoded UTF-8.</summary>
    private static string Encoded(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (b is > 0x20 and < 0x7f and not ((byte)'"') and not ((byte)'%')) encoded.Append((char)b);
            else encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return encoded.ToString();
    }
}
