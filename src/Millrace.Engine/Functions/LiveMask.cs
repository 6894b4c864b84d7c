namespace Millrace.Engine.Functions;

/// <summary>
/// Takes secrets out of text that is shown while it comes. A piece may end in the middle of a secret, so its last characters are held back as
/// long as they could be the beginning of one.
/// </summary>
internal sealed class LiveMask(SecretMask mask)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _held = new(StringComparer.Ordinal);

    /// <returns>What may be shown on the channel now; perhaps nothing.</returns>
    public string Next(string channel, string text)
    {
        lock (_lock)
        {
            text = mask.Apply(_held.GetValueOrDefault(channel, "") + text);
            var shown = text.Length - mask.OpenEnd(text);
            _held[channel] = text[shown..];
            return text[..shown];
        }
    }

    /// <summary>What was held back and became no secret, by channel. Nothing comes behind it.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Rest()
    {
        lock (_lock)
        {
            KeyValuePair<string, string>[] rest = [.. _held.Where(h => h.Value.Length > 0)];
            _held.Clear();
            return rest;
        }
    }
}
