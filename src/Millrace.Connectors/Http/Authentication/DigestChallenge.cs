using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Connectors.Http.Authentication;

/// <summary>
/// What a server asks of a client that authenticates by digest (RFC 7616; without qop RFC 2069): SHA-256 before MD5, each also with <c>-sess</c>;
/// <c>qop=auth</c>. A server that wants <c>auth-int</c> alone is not answered.
/// </summary>
internal sealed class DigestChallenge
{
    private int _used;

    private DigestChallenge(IReadOnlyDictionary<string, string> parameters) => Parameters = parameters;

    private IReadOnlyDictionary<string, string> Parameters { get; }

    private string Algorithm => Parameters.GetValueOrDefault("algorithm", "MD5");

    /// <returns>Null when the answer asks for no digest that can be given.</returns>
    public static DigestChallenge? Of(HttpAnswer answer)
    {
        var asked = answer.Headers.Where(h => h.Key.Equals("WWW-Authenticate", StringComparison.OrdinalIgnoreCase)).SelectMany(h => Challenges(h.Value))
            .Where(c => Strength(c.GetValueOrDefault("algorithm", "MD5")) > 0 && c.ContainsKey("nonce") && c.ContainsKey("realm")
                && (!c.TryGetValue("qop", out var qop) || qop.Split(',').Any(q => q.Trim().Equals("auth", StringComparison.OrdinalIgnoreCase))));
        return asked.MaxBy(c => Strength(c.GetValueOrDefault("algorithm", "MD5"))) is { } best ? new DigestChallenge(best) : null;
    }

    /// <summary>The Authorization header of one request.</summary>
    public string Answer(AuthenticationPolicy.Digest who, HttpCall call)
    {
        var (realm, nonce, target) = (Parameters["realm"], Parameters["nonce"], call.Uri.PathAndQuery);
        var count = Interlocked.Increment(ref _used).ToString("x8", CultureInfo.InvariantCulture);
        var own = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var secret = Hash($"{who.Username}:{realm}:{who.Password}");
        if (Algorithm.EndsWith("-sess", StringComparison.OrdinalIgnoreCase)) secret = Hash($"{secret}:{nonce}:{own}");
        var request = Hash($"{call.Method.Method}:{target}");
        var withQop = Parameters.ContainsKey("qop");
        var response = withQop ? Hash($"{secret}:{nonce}:{count}:{own}:auth:{request}") : Hash($"{secret}:{nonce}:{request}");
        var header = new StringBuilder($"Digest username={Quoted(who.Username)}, realm={Quoted(realm)}, nonce={Quoted(nonce)}, uri={Quoted(target)}, response=\"{response}\"");
        if (Parameters.ContainsKey("algorithm")) header.Append(CultureInfo.InvariantCulture, $", algorithm={Algorithm}");
        if (Parameters.TryGetValue("opaque", out var opaque)) header.Append(CultureInfo.InvariantCulture, $", opaque={Quoted(opaque)}");
        if (withQop) header.Append(CultureInfo.InvariantCulture, $", qop=auth, nc={count}, cnonce=\"{own}\"");
        else if (Algorithm.EndsWith("-sess", StringComparison.OrdinalIgnoreCase)) header.Append(CultureInfo.InvariantCulture, $", cnonce=\"{own}\"");
        return header.ToString();
    }

    private static int Strength(string algorithm) => algorithm.ToUpperInvariant() switch
    {
        "SHA-256" or "SHA-256-SESS" => 2,
        "MD5" or "MD5-SESS" => 1,
        _ => 0,
    };

    [SuppressMessage("Security", "CA5351", Justification = "The server chooses; many know nothing newer.")]
    private string Hash(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return Convert.ToHexStringLower(Strength(Algorithm) == 2 ? SHA256.HashData(bytes) : MD5.HashData(bytes));
    }

    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>The Digest challenges of one header, which may hold several of several schemes (RFC 9110, 11.6.1).</summary>
    private static IEnumerable<Dictionary<string, string>> Challenges(string header)
    {
        Dictionary<string, string>? current = null;
        var at = 0;
        while (Word(header, ref at) is { } word)
        {
            if (at < header.Length && header[at] == '=')
            {
                at++;
                var value = Value(header, ref at);
                if (current is not null) current[word.ToLowerInvariant()] = value;
                continue;
            }
            if (current is not null) yield return current;
            current = word.Equals("Digest", StringComparison.OrdinalIgnoreCase) ? new Dictionary<string, string>(StringComparer.Ordinal) : null;
        }
        if (current is not null) yield return current;
    }

    private static string? Word(string text, ref int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t' or ',' or '=') at++;
        var start = at;
        while (at < text.Length && text[at] is not (' ' or '\t' or ',' or '=')) at++;
        var end = at;
        while (at < text.Length && text[at] is ' ' or '\t') at++;
        if (at >= text.Length || text[at] != '=') at = end;
        return end > start ? text[start..end] : null;
    }

    private static string Value(string text, ref int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t') at++;
        if (at >= text.Length || text[at] != '"')
        {
            var start = at;
            while (at < text.Length && text[at] is not (' ' or '\t' or ',')) at++;
            return text[start..at];
        }
        var value = new StringBuilder();
        for (at++; at < text.Length && text[at] != '"'; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length) at++;
            value.Append(text[at]);
        }
        at++;
        return value.ToString();
    }
}

/// <summary>The last challenge of each server for each user.</summary>
internal sealed class DigestChallenges
{
    private const int KeptMax = 1000;

    private readonly ConcurrentDictionary<string, DigestChallenge> _kept = new(StringComparer.Ordinal);

    public DigestChallenge? Next(string key) => _kept.GetValueOrDefault(key);

    public void Keep(string key, DigestChallenge challenge)
    {
        if (_kept.Count >= KeptMax) _kept.Clear();
        _kept[key] = challenge;
    }
}
