namespace Millrace.Connectors.Http;

/// <summary>Reads content without trusting what it says about its own length.</summary>
internal static class HttpContentReader
{
    private const int BlockBytes = 64 << 10;

    /// <returns>Null when there are more bytes than <paramref name="bytesMax"/>.</returns>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContent content, long bytesMax, CancellationToken cancel)
    {
        if (content.Headers.ContentLength > bytesMax) return null;
        var (bytes, more) = await ReadUpToAsync(content, bytesMax, cancel);
        // A bare null would become an empty memory here, through the conversion from arrays.
        return more ? default(ReadOnlyMemory<byte>?) : bytes;
    }

    /// <returns>The first bytes, without the rest.</returns>
    public static async Task<ReadOnlyMemory<byte>?> ReadStartAsync(HttpContent content, int bytesMax, CancellationToken cancel) =>
        (await ReadUpToAsync(content, bytesMax, cancel)).Bytes;

    private static async Task<(ReadOnlyMemory<byte> Bytes, bool More)> ReadUpToAsync(HttpContent content, long bytesMax, CancellationToken cancel)
    {
        await using var stream = await content.ReadAsStreamAsync(cancel);
        var buffer = new byte[Math.Min(BlockBytes, bytesMax)];
        var used = 0;
        while (true)
        {
            if (used == buffer.Length)
            {
                if (used == bytesMax) return (buffer, await stream.ReadAsync(new byte[1], cancel) > 0);
                Array.Resize(ref buffer, (int)Math.Min(Math.Min(buffer.Length * 2L, bytesMax), Array.MaxLength));
            }
            var read = await stream.ReadAsync(buffer.AsMemory(used), cancel);
            if (read == 0) return (buffer.AsMemory(0, used), false);
            used += read;
        }
    }
}
