using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Views;

/// <summary>Reads the results of a chunk from the child runs whose outputs they are.</summary>
public static class ChunkReader
{
    /// <returns>
    /// In their order; null in place of each that there is none of. Null itself when a child that gave some of them is not kept any more.
    /// </returns>
    public static async Task<JsonArray?> ReadAsync(JournalReader journal, Tenant tenant, ChunkResults chunk)
    {
        var results = new Json[chunk.Count];
        if (chunk.Runs.Count == 0) return JsonArray.Of(results);
        var ends = await journal.OutcomesAsync(tenant, [.. chunk.Runs]);
        int[]? places = null;
        foreach (var run in chunk.Runs)
        {
            if (!ends.TryGetValue(run, out var end)) return null;
            if (!chunk.IsBatched) return Json.Array(end.Output).AsArray();
            var given = end.Output["results"].ArrayOrNull ?? end.Output.AsArray();
            for (var i = 0; i < given.Count; i++) results[places?[i] ?? i] = given[i];
            var before = places;
            places = System.Array.ConvertAll(Failed(end.Output), i => before?[i] ?? i);
        }
        return JsonArray.Of(results);
    }

    /// <summary>Places of the inputs that failed, which the next of the runs carried out again.</summary>
    private static int[] Failed(Json output) => output.IsObject ? [.. output["errors"].AsArray().Select(e => (int)e["index"].AsNumber())] : [];
}
