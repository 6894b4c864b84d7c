using Millrace.Engine.Admin;
using Millrace.Storage.Admin;

namespace Millrace.Server.Admin;

/// <summary>What administrative commands print.</summary>
internal static class AdminReport
{
    public static async Task WriteAsync(TextWriter output, IEnumerable<(TableSum Source, TableSum Target)> sums)
    {
        await output.WriteLineAsync($"{"table",-20} {"rows",12} {"copied",12}  sha256");
        foreach (var (source, target) in sums)
            await output.WriteLineAsync($"{source.Table,-20} {source.Rows,12} {target.Rows,12}  {source.Sha256[..16]} {(source == target ? "same" : $"DIFFERS: {target.Sha256[..16]}")}");
    }

    public static async Task WriteAsync(TextWriter output, DatabaseCheck check)
    {
        await output.WriteLineAsync($"runs {check.Runs}, of which {check.Live} go on; journals with gaps {check.Broken}; damaged records {check.Damaged}; blobs {check.Blobs}{(check.BlobsMissing is { } missing ? $", missing {missing}" : ", not looked for")}");
    }
}
