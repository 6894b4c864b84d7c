using System.Collections.Immutable;
using System.Text;

namespace Millrace.Connectors.Http;

/// <summary>The secrets one call works with; no text that leaves the call may hold one.</summary>
internal sealed class Redaction
{
    // A shorter value would blank out ordinary words, and hides nothing that cannot be guessed.
    private const int LengthMin = 4;
    private const string Mark = "***";

    // Replaced as a whole: a request for a token may go on, and find more to hide, after its caller has left.
    private ImmutableArray<string> _secrets = [];

    public void Add(string? secret)
    {
        if (secret is null || secret.Length < LengthMin) return;
        Keep(secret);
        Keep(Uri.EscapeDataString(secret));
        Keep(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)));
    }

    public string Clean(string text)
    {
        foreach (var secret in _secrets) text = text.Replace(secret, Mark, StringComparison.Ordinal);
        return text;
    }

    /// <summary>The address without query, fragment and credentials, which often hold secrets of the author's own.</summary>
    public string Clean(Uri uri) => Clean($"{uri.Scheme}://{uri.Authority}{uri.AbsolutePath}{(uri.Query.Length > 1 ? "?…" : "")}");

    private void Keep(string secret)
    {
        // Longest first, so that a secret which holds another one vanishes as a whole.
        ImmutableInterlocked.Update(ref _secrets, static (known, one) => known.Contains(one) ? known
            : known.Add(one).Sort((a, b) => b.Length.CompareTo(a.Length)), secret);
    }
}
