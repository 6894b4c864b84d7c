namespace Millrace.Connectors.Catalog;

public sealed record CatalogSettings
{
    /// <summary>Bytes of one artifact.</summary>
    public long ArtifactBytesMax { get; init; } = 64L << 20;

    /// <summary>Rows that <c>csv</c> reads from one text; a longer text is refused.</summary>
    public int CsvRowsMax { get; init; } = 1_000_000;
}
