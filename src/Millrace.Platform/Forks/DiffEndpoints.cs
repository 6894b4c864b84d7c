using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Forks;

/// <summary>One step in two runs.</summary>
/// <param name="Differs">Of task, state, input, output, error.</param>
/// <param name="Left">The step in the one run, with its values where they differ; absent when it has none there.</param>
public sealed record DiffRow(string Path, StepChange Change, IReadOnlyList<string> Differs, RunStep? Left, RunStep? Right, long? LeftMs, long? RightMs);

/// <summary>Two runs side by side.</summary>
/// <param name="First">Index of the first row, over all pages, that is not the same; null when there is none.</param>
/// <param name="Next">Cursor of the page after it.</param>
public sealed record RunComparison(Run Left, Run Right, int Rows, int Same, int Changed, int OnlyLeft, int OnlyRight, int? First, IReadOnlyList<DiffRow> Items, string? Next);

/// <summary>Comparing two runs.</summary>
internal static class DiffEndpoints
{
    public static void MapDiffs(this RouteGroupBuilder group) =>
        group.MapGet("/{id}/diff/{other}", DiffAsync).WithName("DiffRuns").WithSummary("Two runs side by side, aligned by where their steps stand.").Paged().Refuses(400, 404);

    private static async Task<Ok<RunComparison>> DiffAsync(string id, string other, HttpRequest request, RunHistories histories, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var from = Cursor.Parse(query.Cursor, "diff", 1)?[0] is { } at ? (int)Math.Min(Cursor.ParseNumber(at), int.MaxValue) : 0;
        query.NoMore();
        var (left, lefts) = await StepsAsync(id, histories, tenant, cancel);
        var (right, rights) = await StepsAsync(other, histories, tenant, cancel);
        var pairs = RunDiff.Of(lefts, rights);
        var first = pairs.Select((p, i) => (p.Change, i)).Where(p => p.Change != StepChange.Same).Select(p => (int?)p.i).FirstOrDefault();
        int Count(StepChange change) => pairs.Count(p => p.Change == change);
        return TypedResults.Ok(new RunComparison(
            left, right, pairs.Count, Count(StepChange.Same), Count(StepChange.Changed), Count(StepChange.OnlyLeft), Count(StepChange.OnlyRight), first,
            [.. pairs.Skip(from).Take(limit).Select(RowOf)],
            from + limit < pairs.Count ? Cursor.Of("diff", (from + limit).ToString(CultureInfo.InvariantCulture)) : null));
    }

    private static async Task<(Run Run, List<StepView> Steps)> StepsAsync(string id, RunHistories histories, Tenant tenant, CancellationToken cancel)
    {
        var found = await histories.ReadAsync(tenant, RunEndpoints.ParseId(id), (row, history) => Tuple.Create(Run.Of(row, history), history.Steps.Values.ToList()), cancel) ?? throw RunEndpoints.NotFound(id);
        return (found.Item1, found.Item2);
    }

    private static DiffRow RowOf(StepPair pair)
    {
        var values = pair.Differs.Contains("input") || pair.Differs.Contains("output");
        return new DiffRow(
            pair.Path, pair.Change, pair.Differs, pair.Left is { } l ? RunStep.Of(l, values) : null, pair.Right is { } r ? RunStep.Of(r, values) : null, Milliseconds(pair.Left), Milliseconds(pair.Right));
    }

    private static long? Milliseconds(StepView? step) => step?.EndedAt is { } ended ? (ended - step.StartedAt) / 1000 : null;
}
