using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Journal;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Runs;

/// <summary>Routes under <c>/runs/{id}</c> that read its journal: steps, records, what it waits for.</summary>
internal static class RunDetailEndpoints
{
    public static void MapRunDetails(this RouteGroupBuilder group)
    {
        group.MapGet("/{id}/steps", ListStepsAsync).WithName("ListSteps").WithSummary("The steps in the order in which they began, without input and output.").Paged().Refuses(400, 404);
        group.MapGet("/{id}/steps/{step}", GetStepAsync).WithName("GetStep").WithSummary("One step with its input and output.").Refuses(404);
        group.MapGet("/{id}/journal", ListRecordsAsync).WithName("ListJournal").WithSummary("The journal, record by record.")
            .Query("after", "Only records after this sequence number; -1 is before the first.").Paged().Refuses(400, 404);
        group.MapGet("/{id}/waiting", ListWaitsAsync).WithName("ListWaits").WithSummary("What the run waits for, since when, and what will wake it. Empty only when it has ended.").Refuses(404);
    }

    private static async Task<Ok<Page<RunStep>>> ListStepsAsync(string id, HttpRequest request, RunHistories histories, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "steps", 1)?[0] is { } step ? Cursor.ParseNumber(step) : 0;
        query.NoMore();
        var found = await histories.ReadAsync(tenant, RunEndpoints.ParseId(id),
            (_, history) => history.Steps.Values.Where(s => s.Id > after).Take(limit + 1).Select(s => RunStep.Of(s, values: false)).ToList(), cancel)
            ?? throw RunEndpoints.NotFound(id);
        return TypedResults.Ok(Page.Of(found, limit, s => Cursor.Of("steps", s.Id.ToString(CultureInfo.InvariantCulture))));
    }

    private static async Task<Ok<RunStep>> GetStepAsync(string id, string step, HttpRequest request, RunHistories histories, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var number = int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;
        var found = await histories.ReadAsync(tenant, RunEndpoints.ParseId(id),
            (_, history) => new Found<RunStep>(history.Steps.TryGetValue(number, out var view) ? RunStep.Of(view, values: true) : null), cancel)
            ?? throw RunEndpoints.NotFound(id);
        return TypedResults.Ok(found.Item ?? throw Problem.NotFound("step.not_found", "There is no such step.", $"The run {id} has no step {step}."));
    }

    private static async Task<Ok<Page<JournalRecord>>> ListRecordsAsync(string id, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = query.Number("after", -1, long.MaxValue) ?? -1;
        if (Cursor.Parse(query.Cursor, "journal", 1)?[0] is { } seq) after = Cursor.ParseNumber(seq);
        query.NoMore();
        var run = RunEndpoints.ParseId(id);
        var rows = await database.ReadAsync(db => JournalStore.Of(db, tenant, run, after, limit + 1), cancel);
        if (rows.Count == 0) await RunEndpoints.FindAsync(database, tenant, run, cancel);
        var records = rows.ConvertAll(r => new JournalRecord(r.Seq, Micros.ToTime(r.At), JsonText.Parse(r.Entries)));
        return TypedResults.Ok(Page.Of(records, limit, r => Cursor.Of("journal", r.Seq.ToString(CultureInfo.InvariantCulture))));
    }

    private static async Task<Ok<ItemList<RunWait>>> ListWaitsAsync(string id, HttpRequest request, RunHistories histories, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = RunEndpoints.ParseId(id);
        var (row, suspended, found) = await histories.ReadAsync(tenant, run, (r, history) => Tuple.Create(r, history.State.IsSuspended, history.Waiting()), cancel) ?? throw RunEndpoints.NotFound(id);
        found = await database.ReadAsync(db => RunWaits.Of(db, row, suspended, found), cancel);
        return TypedResults.Ok(new ItemList<RunWait>([.. found.Select(RunWait.Of)]));
    }

    /// <summary>Tells a run without the step from no run at all.</summary>
    private sealed record Found<T>(T? Item);
}
