using System.Text;

namespace Millrace.Cli.Inputs;

internal static class TextFile
{
    /// <exception cref="UsageException">There is no such file, it cannot be read, is too long or no UTF-8.</exception>
    public static string Read(string path, long bytesMax)
    {
        try
        {
            var file = new FileInfo(path);
            if (Directory.Exists(path)) throw new UsageException($"{path} is a directory.");
            if (!file.Exists) throw new UsageException($"There is no file {path}.");
            if (file.Length > bytesMax) throw new UsageException($"{path} has {file.Length} bytes; at most {bytesMax} are read.");
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Unmarked(File.ReadAllBytes(path)));
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException($"{path} is no UTF-8 text.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {e.Message}");
        }
    }

    private static ReadOnlySpan<byte> Unmarked(byte[] bytes) => bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsSpan(3) : bytes;
}
