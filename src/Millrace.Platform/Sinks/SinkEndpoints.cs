using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Sinks;

/// <summary>Routes under <c>/sinks</c>.</summary>
internal static class SinkEndpoints
{
    private const int BodyMax = 64 << 10;
    private const int SinksMax = 1000;
    private const int PendingMax = 10_000;
    private const long PatienceByDefault = 86_400L * 3 * 1_000_000;

    public static void MapSinks(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/sinks").WithTags("Sinks");
        group.MapGet("", ListAsync).WithName("ListSinks").WithSummary("Where events are sent, by name.").Paged().Refuses(400);
        group.MapPost("", MakeAsync).WithName("MakeSink").WithSummary("Send events from now on to an address.").Accepts<SinkBody>("application/json").Produces<Sink>(201).Refuses(400, 409, 413, 415, 503);
        group.MapGet("/{id}", GetAsync).WithName("GetSink").WithSummary("One sink and how far it has come.").Refuses(404);
        group.MapPatch("/{id}", ChangeAsync).WithName("ChangeSink").WithSummary("Change a sink, pause it, or let it go on; one that was given up goes on from where it stood.")
            .Accepts<SinkBody>("application/json").Produces<Sink>(200).Refuses(400, 404, 409, 413, 415, 503);
        group.MapDelete("/{id}", DeleteAsync).WithName("DeleteSink").WithSummary("Send it nothing more.").Produces(204).Refuses(404, 503);
        group.MapPost("/{id}/test", TestAsync).WithName("TestSink").WithSummary("Send one event to it at once, and say what came of it.").Produces<SinkTest>(200).Refuses(404);
    }

    private static async Task<Ok<Page<Sink>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "sinks", 1)?[0];
        query.NoMore();
        var found = await database.ReadAsync(db => SinkStore.List(db, tenant, after, limit + 1).ConvertAll(r => r.View(SinkStore.Pending(db, r, PendingMax))), cancel);
        return TypedResults.Ok(Page.Of(found, limit, s => Cursor.Of("sinks", s.Name)));
    }

    private static async Task<IResult> MakeAsync(HttpRequest request, Database database, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var now = engine.Now;
        var none = new SinkRow(tenant, engine.NewId(), "", "", [], null, true, false, 0, now, 0, 0, null, null, PatienceByDefault, null, now, now);
        var row = Read(none, await RequestBody.JsonAsync(request, BodyMax, cancel), makes: true);
        var made = await database.WriteAsync(db =>
        {
            if (SinkStore.Count(db, tenant) >= SinksMax) return null;
            var begun = row with { Position = EventStore.Last(db, tenant) };
            return SinkStore.Insert(db, begun) ? begun : throw Exists(row.Name);
        });
        if (made is null) throw Problem.Conflict("sink.too_many", "There are too many sinks.", $"A workspace has {SinksMax} at most.");
        return TypedResults.Created($"/api/v1/sinks/{made.Id}", made.View(0));
    }

    private static async Task<Ok<Sink>> GetAsync(string id, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var found = await database.ReadAsync(db => SinkStore.Get(db, tenant, IdOf(id)) is { } row ? row.View(SinkStore.Pending(db, row, PendingMax)) : null, cancel);
        return TypedResults.Ok(found ?? throw NotFound(id));
    }

    private static async Task<Ok<Sink>> ChangeAsync(string id, HttpRequest request, Database database, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var body = await RequestBody.JsonAsync(request, BodyMax, cancel);
        var changed = await database.WriteAsync(db =>
        {
            if (SinkStore.Get(db, tenant, IdOf(id)) is not { } row) return null;
            var after = Read(row, body, makes: false) with { UpdatedAt = engine.Now };
            if (after.Name != row.Name && SinkStore.Named(db, tenant, after.Name) is not null) throw Exists(after.Name);
            SinkStore.Update(db, after);
            return SinkStore.Get(db, tenant, IdOf(id));
        });
        return TypedResults.Ok(changed?.View(await database.ReadAsync(db => SinkStore.Pending(db, changed, PendingMax), cancel)) ?? throw NotFound(id));
    }

    private static async Task<NoContent> DeleteAsync(string id, HttpRequest request, Database database, Tenant tenant)
    {
        new QueryReader(request).NoMore();
        return await database.WriteAsync(db => SinkStore.Delete(db, tenant, IdOf(id))) ? TypedResults.NoContent() : throw NotFound(id);
    }

    private static async Task<Ok<SinkTest>> TestAsync(string id, HttpRequest request, Database database, DurableEngine engine, IServiceProvider services, Tenant tenant, TimeProvider time, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var row = await database.ReadAsync(db => SinkStore.Get(db, tenant, IdOf(id)), cancel) ?? throw NotFound(id);
        var e = new JsonObject.Builder().Set("specversion", "1.0").Set("id", engine.NewId().ToString()).Set("source", $"/workspaces/{tenant.Workspace}/sinks/{id}").Set("type", "io.millrace.sink.test.v1")
            .Set("time", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture))
            .Set("datacontenttype", "application/json").Set("data", Json.Object("sink", row.Name)).Build();
        var end = await services.GetServices<IHostedService>().OfType<SinkLoop>().Single().SendAsync(row, e, cancel);
        return TypedResults.Ok(new SinkTest(end.Error is null, end.Status, end.Error));
    }

    /// <param name="makes">Whether name and address have to be there.</param>
    private static SinkRow Read(SinkRow row, Json body, bool makes)
    {
        var shape = new BodyShape(body);
        var name = makes ? shape.RequiredText("name", 100) : shape.OptionalText("name", 100);
        var url = makes ? shape.RequiredText("url", 2000) : shape.OptionalText("url", 2000);
        var types = shape.OptionalTexts("types", 100, EventLog.TypeBytesMax);
        var (secret, mode, patience, paused) = (shape.OptionalText("secret", 200), shape.OptionalText("mode", 20), shape.OptionalWhole("patienceSeconds", 1, 365 * 86_400L), shape.Any("paused"));
        if (name is not null && (name.Length == 0 || name.Any(char.IsControl))) shape.Refuse("name", "A name has at least one character, and no control characters.");
        if (url is not null && !(Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.UserInfo.Length == 0 && address.Host.Length > 0))
            shape.Refuse("url", "This is no address without credentials.", "an absolute http or https URI");
        if (mode is not (null or "structured" or "binary")) shape.Refuse("mode", "There is no such mode.", "structured or binary");
        if (paused is { IsBoolean: false }) shape.Refuse("paused", "This is neither.", "true or false");
        if (types?.Any(t => t.Length == 0 || t.AsSpan(0, t.Length - 1).Contains('*')) == true) shape.Refuse("types", "A type is not empty, and a star stands only at its end.", "such as com.example.order.*");
        shape.NoMore();
        shape.ThrowIfWrong();
        return row with
        {
            Name = name ?? row.Name,
            Url = url ?? row.Url,
            Types = types ?? row.Types,
            Secret = secret is "" ? null : secret ?? row.Secret,
            Structured = mode is null ? row.Structured : mode == "structured",
            Patience = patience * 1_000_000 ?? row.Patience,
            Paused = paused is { } wish ? wish.IsTruthy : row.Paused,
        };
    }

    private static Problem Exists(string name) => Problem.Conflict("sink.exists", "There is such a sink.", $"The workspace has a sink named '{name}'.");

    private static Guid IdOf(string id) => Guid.TryParseExact(id, "D", out var sink) ? sink : throw NotFound(id);

    private static Problem NotFound(string id) => Problem.NotFound("sink.not_found", "There is no such sink.", $"There is no sink {id}.");
}
