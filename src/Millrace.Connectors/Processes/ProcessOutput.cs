using System.Text;

namespace Millrace.Connectors.Processes;

/// <summary>Collects one output stream up to a limit and passes its text on in whole lines.</summary>
internal sealed class ProcessOutput(Stream stream, long bytesMax, Action<string>? lines)
{
    private const int LineCharsMax = 8 << 10;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _all = new();
    private readonly StringBuilder _open = new();

    /// <summary>The text so far; complete when <see cref="ReadAsync"/> has ended.</summary>
    public string Text
    {
        get
        {
            lock (_all) return _all.ToString();
        }
    }

    /// <returns>False when the limit was exceeded; then nothing more is read.</returns>
    public async Task<bool> ReadAsync(CancellationToken cancel)
    {
        var bytes = new byte[32 << 10];
        var chars = new char[bytes.Length + 1];
        var left = bytesMax;
        while (true)
        {
            var read = await stream.ReadAsync(bytes, cancel);
            var kept = (int)Math.Min(read, left);
            left -= read;
            Take(chars.AsSpan(0, _decoder.GetChars(bytes.AsSpan(0, kept), chars, flush: read == 0)), last: read == 0 || left < 0);
            if (read == 0 || left < 0) return left >= 0;
        }
    }

    private void Take(ReadOnlySpan<char> text, bool last)
    {
        lock (_all) _all.Append(text);
        if (lines is null) return;
        var end = last || _open.Length + text.Length > LineCharsMax ? text.Length : text.LastIndexOf('\n') + 1;
        _open.Append(text[..end]);
        if (_open.Length > 0 && (end > 0 || last))
        {
            lines(_open.ToString());
            _open.Clear();
        }
        _open.Append(text[end..]);
    }
}
