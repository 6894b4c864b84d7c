using Millrace.Platform.Http;
using Millrace.Storage.Blobs;

namespace Millrace.Platform.Uploads;

/// <summary>Content by its name, as a request says it.</summary>
/// <param name="Sha256">64 lower-case hex digits.</param>
/// <param name="Size">Bytes.</param>
public sealed record UploadContent(string Sha256, long Size);

/// <summary>Where a client sends content by itself.</summary>
/// <param name="Method">The request to make there, with exactly the content's bytes.</param>
/// <param name="Href">The whole address; whoever has it needs no key.</param>
public sealed record Upload(string Method, string Href, DateTimeOffset ExpiresAt);

/// <summary>The rules of what a client may upload.</summary>
internal static class UploadRules
{
    /// <summary>Bytes of one upload: as long as it is read, a process holds it in memory.</summary>
    public const int BytesMax = 128 << 20;

    private const int HexDigits = 64;

    public static BlobRef Read(BodyShape shape)
    {
        var (sha256, size) = (shape.RequiredText("sha256", HexDigits), shape.RequiredWhole("size", 1, BytesMax));
        shape.NoMore();
        if (sha256.Length == HexDigits && sha256.All(char.IsAsciiHexDigitLower)) return new BlobRef(sha256, size);
        if (sha256.Length > 0) shape.Refuse("sha256", "This is no SHA-256.", "64 lower-case hex digits");
        return new BlobRef(new string('0', HexDigits), size);
    }
}
