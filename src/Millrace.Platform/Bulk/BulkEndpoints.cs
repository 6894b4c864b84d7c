using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Bulk;

/// <summary>Routes under <c>/runs/bulk</c>: one wish about many runs.</summary>
internal static class BulkEndpoints
{
    private const int BytesMax = 256 << 10;
    private const int CountMax = 1_000_000;

    public static void MapBulk(this RouteGroupBuilder group)
    {
        group.MapPost("/bulk", AskAsync).WithName("StartBulk").WithSummary("Retry, fork, cancel, suspend or resume many runs; answered when the wish is on disk.")
            .Header("Idempotency-Key", $"At most {RunEndpoints.KeyMax} characters; the same key with the same request is one wish.")
            .Accepts<BulkBody>("application/json").Produces<BulkWork>(202).Refuses(400, 409, 413, 415, 503);
        group.MapGet("/bulk", ListAsync).WithName("ListBulk").WithSummary("Wishes about many runs, newest first.").Paged().Refuses(400);
        group.MapGet("/bulk/{id}", GetAsync).WithName("GetBulk").WithSummary("How far a wish about many runs has come.").Refuses(404);
        group.MapPost("/bulk/{id}/cancellation", StopAsync).WithName("StopBulk").WithSummary("Go on to no further runs; what was done stays done.").Produces<BulkWork>(202).Refuses(404, 409, 503);
    }

    private static async Task<IResult> AskAsync(HttpRequest request, Database database, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var key = RunEndpoints.IdempotencyKey(request);
        var body = await RequestBody.JsonAsync(request, BytesMax, cancel);
        var wish = BulkWish.Read(body);
        var (id, now) = (engine.NewId(), engine.Now);
        // Runs that begin from now on have ids behind this one, and are none of its business.
        var found = wish.Ids?.Count ?? await database.ReadAsync(db => RunStore.Count(db, tenant, wish.Filter with { Before = id, Limit = CountMax }), cancel);
        var row = new BulkRow(tenant, id, body, BulkState.Running, wish.Ids is null ? id : Guid.AllBitsSet, found, 0, 0, [], now, now, null);
        var hash = Convert.ToHexStringLower(SHA256.HashData(JsonText.ToUtf8(Json.Array("bulk", body))));
        var known = await database.WriteAsync(db =>
        {
            if (key is not null && RunStore.KeepKey(db, tenant, key, hash, id, now) is { } earlier) return earlier;
            BulkStore.Insert(db, row);
            return default((Guid Run, string Request)?);
        });
        if (known is not { } before) return Accepted(row);
        if (before.Request != hash) throw Problem.Conflict("run.idempotency_conflict", "The key was used for another request.", "This Idempotency-Key came with another request before.");
        return Accepted(await FindAsync(database, tenant, before.Run, cancel));
    }

    private static async Task<Ok<Page<BulkWork>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var before = Cursor.Parse(query.Cursor, "bulk", 1)?[0] is { } id ? Cursor.ParseId(id) : (Guid?)null;
        query.NoMore();
        var found = await database.ReadAsync(db => BulkStore.List(db, tenant, before, limit + 1).ConvertAll(r => r.View), cancel);
        return TypedResults.Ok(Page.Of(found, limit, b => Cursor.Of("bulk", b.Id.ToString())));
    }

    private static async Task<Ok<BulkWork>> GetAsync(string id, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        return TypedResults.Ok((await FindAsync(database, tenant, ParseId(id), cancel)).View);
    }

    private static async Task<IResult> StopAsync(string id, HttpRequest request, Database database, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var bulk = ParseId(id);
        var stopped = await database.WriteAsync(db => BulkStore.Stop(db, tenant, bulk, engine.Now));
        var row = await FindAsync(database, tenant, bulk, cancel);
        return stopped ? Accepted(row) : throw Problem.Conflict("bulk.already_finished", "It is over.", "All of its runs have been gone through, or it was stopped.");
    }

    private static Accepted<BulkWork> Accepted(BulkRow row) => TypedResults.Accepted($"/api/v1/runs/bulk/{row.Id}", row.View);

    private static async Task<BulkRow> FindAsync(Database database, Tenant tenant, Guid id, CancellationToken cancel) =>
        await database.ReadAsync(db => BulkStore.Get(db, tenant, id), cancel) ?? throw NotFound(id.ToString());

    private static Guid ParseId(string id) => Guid.TryParseExact(id, "D", out var bulk) ? bulk : throw NotFound(id);

    private static Problem NotFound(string id) => Problem.NotFound("bulk.not_found", "There is no such work.", $"There is no bulk work {id}.");
}
