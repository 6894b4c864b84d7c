namespace Millrace.Cli.Views;

/// <summary>A table of text in aligned columns, wide as it needs to be: lines are never broken, so other programs can read them.</summary>
internal static class Columns
{
    private const int WidthMax = 80;

    public static void Write(Terminal terminal, string[] titles, IEnumerable<string[]> rows)
    {
        var all = rows.Select(r => r.Select(Terminal.Clean).ToArray()).ToList();
        var widths = titles.Select((t, i) => all.Count == 0 ? t.Length : Math.Max(t.Length, Math.Min(WidthMax, all.Max(r => r[i].Length)))).ToArray();
        terminal.Line(terminal.Paint(Row(titles, widths), Ink.Strong));
        foreach (var row in all) terminal.Line(Row(row, widths));
    }

    private static string Row(string[] cells, int[] widths) =>
        string.Join("  ", cells.Select((c, i) => c.PadRight(widths[i]))).TrimEnd();
}
