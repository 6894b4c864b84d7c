using System.Text.RegularExpressions;

namespace Millrace.Storage.Blobs;

/// <summary>Names content by what it is.</summary>
public sealed partial record BlobRef
{
    /// <exception cref="ArgumentException">The name is not 64 lower-case hex digits, or the size is negative.</exception>
    public BlobRef(string sha256, long size)
    {
        if (!Hex().IsMatch(sha256)) throw new ArgumentException("A blob's name is 64 lower-case hex digits.", nameof(sha256));
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Sha256 = sha256;
        Size = size;
    }

    /// <summary>64 lower-case hex digits; safe as a file's name.</summary>
    public string Sha256 { get; }

    /// <summary>Bytes.</summary>
    public long Size { get; }

    [GeneratedRegex(@"\A[0-9a-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Hex();
}
