using System.Text;
using Millrace.Jq;
using Millrace.Jq.Text;

namespace Millrace.Cli.Jq;

/// <summary>The values the command's filter is run on, one after the other, from files or standard input.</summary>
internal sealed class JqInputs(JqArguments arguments, Stream stdin)
{
    /// <summary>Bytes one input file may have.</summary>
    public const long FileBytesMax = 1L << 30;

    private IEnumerator<Json>? _values;

    /// <summary>The file the last value came from, null for standard input.</summary>
    public Json Filename { get; private set; }

    /// <summary>Null when there are no more.</summary>
    /// <exception cref="JsonTextException">An input is no JSON.</exception>
    /// <exception cref="IOException">An input cannot be read.</exception>
    public Json? Next()
    {
        _values ??= All().GetEnumerator();
        return _values.MoveNext() ? _values.Current : default(Json?);
    }

    private IEnumerable<Json> All()
    {
        if (arguments.Slurp && arguments.RawInput) return [Encoding.UTF8.GetString([.. Sources().SelectMany(s => s)])];
        if (arguments.Slurp) return [JsonArray.Of(Sources().SelectMany(ParseAll).ToList())];
        return arguments.RawInput ? Sources().SelectMany(Lines) : Sources().SelectMany(ParseAll);
    }

    private IEnumerable<byte[]> Sources()
    {
        if (arguments.Files.Count == 0)
        {
            yield return ReadAll(stdin);
            yield break;
        }
        foreach (var file in arguments.Files)
        {
            Filename = file;
            yield return ReadFile(file);
        }
    }

    public static byte[] ReadFile(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return ReadAll(file);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[81_920];
        for (int read; (read = stream.Read(chunk)) > 0;)
        {
            if (buffer.Length + read > FileBytesMax) throw new IOException($"The input has more than {FileBytesMax} bytes.");
            buffer.Write(chunk, 0, read);
        }
        return buffer.ToArray();
    }

    /// <summary>All values of a text; those before an error are handed out before it is raised.</summary>
    public static IEnumerable<Json> ParseAll(byte[] text)
    {
        var from = text.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0;
        while (ReadOne(text, ref from, out var value)) yield return value;
    }

    private static bool ReadOne(byte[] text, ref int from, out Json value)
    {
        using var reader = new JsonReader(text.AsSpan(from), lenient: true, LenientJson.DepthMax);
        var found = reader.TryRead(out value);
        from += reader.Position;
        return found;
    }

    private static IEnumerable<Json> Lines(byte[] text)
    {
        for (var from = 0; from < text.Length;)
        {
            var end = Array.IndexOf(text, (byte)'\n', from);
            if (end < 0) end = text.Length;
            yield return Encoding.UTF8.GetString(text, from, end - from);
            from = end + 1;
        }
    }
}
