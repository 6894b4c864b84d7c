namespace Millrace.Connectors.Rpc;

/// <summary>Reads lines of bytes that may not be longer than a limit; a byte order mark and a carriage return at the end are left out.</summary>
internal sealed class LineReader(Stream stream, int lineBytesMax, long allBytesMax, string whose)
{
    private byte[] _buffer = new byte[16 << 10];
    private int _start;
    private int _end;
    private long _all;

    /// <returns>Null at the end of the stream; what stands there without a line end is given first.</returns>
    /// <exception cref="Refusal">A limit was exceeded.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancel)
    {
        var seen = _start;
        while (true)
        {
            var at = _buffer.AsSpan(seen, _end - seen).IndexOf((byte)'\n');
            if (at >= 0) return Take(seen + at, seen + at + 1);
            seen = _end;
            if (_end - _start > lineBytesMax) throw TooLarge(lineBytesMax);
            if (_end == _buffer.Length) seen -= Shift();
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancel);
            if (read == 0) return _end > _start ? Take(_end, _end) : default(ReadOnlyMemory<byte>?);
            _end += read;
            _all += read;
            if (_all > allBytesMax) throw TooLarge(allBytesMax);
        }
    }

    private ReadOnlyMemory<byte> Take(int end, int next)
    {
        var line = _buffer.AsMemory(_start, end - _start);
        if (line.Length > lineBytesMax) throw TooLarge(lineBytesMax);
        _start = next;
        return line.Span.EndsWith("\r"u8) ? line[..^1] : line;
    }

    /// <returns>By how much what was read moved to the front.</returns>
    private int Shift()
    {
        var by = _start;
        var room = by > 0 ? _buffer : new byte[_buffer.Length * 2];
        _buffer.AsSpan(_start, _end - _start).CopyTo(room);
        _buffer = room;
        _end -= by;
        _start = 0;
        return by;
    }

    private Refusal TooLarge(long max) => Refusal.Communication(502, "Response too large", $"{whose} sent more than {max} bytes.");
}
