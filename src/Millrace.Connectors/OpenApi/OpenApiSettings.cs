namespace Millrace.Connectors.OpenApi;

/// <summary>Limits of OpenAPI documents.</summary>
public sealed record OpenApiSettings
{
    public int DocumentBytesMax { get; init; } = 8 << 20;

    /// <summary>Parsed documents that are kept at once.</summary>
    public int DocumentsMax { get; init; } = 64;

    /// <summary>How long a parsed document is used before it is read again.</summary>
    public TimeSpan DocumentLifetime { get; init; } = TimeSpan.FromMinutes(5);
}
