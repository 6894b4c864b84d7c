namespace Millrace.Connectors.Http;

/// <summary>Reads a file of this machine that a document names by <c>file:///path</c>.</summary>
internal static class LocalFile
{
    /// <returns>At most one byte more than <paramref name="bytesMax"/>.</returns>
    /// <exception cref="Refusal">The address is not of this machine.</exception>
    /// <exception cref="IOException">There is no such file, or it is none.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(Uri address, int bytesMax, CancellationToken cancel)
    {
        if (address.Host.Length > 0) throw Refusal.Configuration("Address invalid", "a file has to lie on this machine: file:///path.");
        var file = new FileInfo(address.LocalPath);
        if (!file.Exists || (file.Attributes & (FileAttributes.Device | FileAttributes.Directory)) != 0) throw new FileNotFoundException();
        // A device or a pipe has no end; of a file, not more than the limit is read.
        await using var content = file.OpenRead();
        if (!content.CanSeek) throw new IOException();
        var buffer = new byte[Math.Min(content.Length, bytesMax) + 1];
        return buffer.AsMemory(0, await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel));
    }

    public static string Why(Exception e) => e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file." : "the file cannot be read.";
}
