using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Runs;

/// <summary>Whether the results of a chunk can be read: <c>Missing</c> when none of it has completed, <c>Gone</c> when a child run that gave some is not kept any more.</summary>
public enum ChunkState : byte { Completed, Missing, Gone }

/// <summary>The results of one chunk of a map whose results are kept with its children.</summary>
/// <param name="Offset">Index of the chunk's first result among all.</param>
/// <param name="Runs">The child runs that gave them: one, and those that carried out again what had failed.</param>
/// <param name="Results">Null in place of each that there is none of; null itself unless the chunk is completed.</param>
public sealed record ChunkResult(int Chunk, long Offset, int Count, ChunkState State, IReadOnlyList<Guid> Runs, Json? Results);

/// <summary>Routes that read the results of a map with <c>results: reference</c>.</summary>
internal static class ResultEndpoints
{
    /// <summary>Chunks of one page at most: each may have thousands of results.</summary>
    private const int ChunksMax = 20;

    public static void MapResults(this RouteGroupBuilder group)
    {
        group.MapGet("/{id}/steps/{step}/results", ListAsync).WithName("ListResults").WithSummary("The results of a map that keeps them with its children, chunk by chunk; also while it is under way.")
            .Query("cursor", "The value of \"next\" of the page before.").Query("limit", $"Chunks at most, 1 to {ChunksMax}, which is meant unless told.").Refuses(400, 404, 409);
        group.MapGet("/{id}/steps/{step}/results.jsonl", DownloadAsync).WithName("DownloadResults").WithSummary("The same as lines of JSON, one for each result.")
            .Produces<string>(200, "application/jsonl").Refuses(400, 404, 409);
    }

    private static async Task<Ok<Page<ChunkResult>>> ListAsync(
        string id, string step, HttpRequest request, RunHistories histories, JournalReader journal, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = (int)(query.Number("limit", 1, ChunksMax) ?? ChunksMax);
        var after = Cursor.Parse(query.Cursor, "results", 1)?[0] is { } chunk ? Cursor.ParseNumber(chunk) : -1;
        query.NoMore();
        var run = RunEndpoints.ParseId(id);
        var (chunks, more) = await ChunksAsync(histories, tenant, run, step, after, limit, cancel);
        var items = new List<ChunkResult>(chunks.Count);
        foreach (var one in chunks) items.Add(await ReadAsync(journal, tenant, one));
        return TypedResults.Ok(new Page<ChunkResult>(items, more ? Cursor.Of("results", items[^1].Chunk.ToString(CultureInfo.InvariantCulture)) : null));
    }

    private static async Task<IResult> DownloadAsync(
        string id, string step, HttpRequest request, RunHistories histories, JournalReader journal, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = RunEndpoints.ParseId(id);
        // What is refused is refused before the first line.
        var first = await ChunksAsync(histories, tenant, run, step, -1, ChunksMax, cancel);
        return TypedResults.Stream(async to =>
        {
            var (chunks, more) = first;
            while (chunks.Count > 0)
            {
                foreach (var one in chunks)
                {
                    await to.WriteAsync(Lines(await ReadAsync(journal, tenant, one)), cancel);
                    await to.FlushAsync(cancel);
                }
                if (!more) break;
                (chunks, more) = await ChunksAsync(histories, tenant, run, step, chunks[^1].Chunk, ChunksMax, cancel);
            }
        }, "application/jsonl", $"results-{run}-{step}.jsonl");
    }

    private static async Task<ChunkResult> ReadAsync(JournalReader journal, Tenant tenant, ChunkResults chunk)
    {
        var results = chunk.Runs.Count == 0 ? null : await ChunkReader.ReadAsync(journal, tenant, chunk);
        var state = chunk.Runs.Count == 0 ? ChunkState.Missing : results is null ? ChunkState.Gone : ChunkState.Completed;
        return new ChunkResult(chunk.Chunk, chunk.Offset, chunk.Count, state, chunk.Runs, results is null ? (Json?)null : results);
    }

    /// <summary>A line for each result, or one that says that the chunk has none.</summary>
    private static byte[] Lines(ChunkResult chunk)
    {
        using var lines = new MemoryStream();
        if (chunk.Results is { } results)
        {
            var index = chunk.Offset;
            foreach (var result in results.AsArray())
            {
                lines.Write(JsonText.ToUtf8(Json.Object("index", index++, "result", result)));
                lines.WriteByte((byte)'\n');
            }
            return lines.ToArray();
        }
        var state = JsonNamingPolicy.CamelCase.ConvertName(chunk.State.ToString());
        lines.Write(JsonText.ToUtf8(new JsonObject.Builder(3).Set("index", chunk.Offset).Set("count", chunk.Count).Set("state", state).Build()));
        lines.WriteByte((byte)'\n');
        return lines.ToArray();
    }

    /// <summary>Where the results of the next chunks are, and whether there are more.</summary>
    private static async Task<(List<ChunkResults> Chunks, bool More)> ChunksAsync(
        RunHistories histories, Tenant tenant, Guid run, string step, long after, int limit, CancellationToken cancel)
    {
        var (found, _, _) = await SpawnEndpoints.FindAsync(histories, tenant, run, step, cancel);
        var page = await histories.ReadAsync(tenant, run, (_, history) =>
        {
            var index = history.Steps[found.Id].Window?.Results;
            var chunks = new List<ChunkResults>(limit);
            for (var chunk = after + 1; chunk < index?.Chunks && chunks.Count < limit; chunk++) chunks.Add(index[(int)chunk]);
            return Tuple.Create(index is not null, chunks, after + 1 + limit < index?.Chunks);
        }, cancel) ?? throw RunEndpoints.NotFound(run.ToString());
        if (page.Item1) return (page.Item2, page.Item3);
        throw Problem.Conflict("step.no_references", "The results are not kept with the children.",
            "Only a map with 'results: reference' has results to be read here; others have them in their output, or nowhere.");
    }
}
