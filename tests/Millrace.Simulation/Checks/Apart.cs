using Millrace.Simulation.Programs;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>
/// Two workspaces share a database, workers, names and keys, and nothing else: what was asked for in each is there once, no row of one belongs to a run of the other, nobody
/// there hears or feels what happens here, and what is foreign looks the same as what is absent.
/// </summary>
internal sealed class Apart(Cluster cluster, Neighbours neighbours)
{
    private const string Started = "sim.start";

    private sealed record Kept(Guid Workspace, string Type, string Id);

    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> here, IReadOnlyDictionary<Guid, Found> beside)
    {
        if (!neighbours.Exist) return;
        Promises(beside);
        foreach (var run in beside.Values) Ending(run, beside);
        foreach (var (key, request) in cluster.Outside.Requests)
            if ((here.GetValueOrDefault(request.Run) ?? beside.GetValueOrDefault(request.Run)) is { } run && run.Row.Tenant.Workspace != request.Workspace) Wrong(run, $"its effect {key} was done for another workspace");
        await EventsAsync(here.Values.Concat(beside.Values), [.. beside.Values]);
        await LettersAsync(beside.Values);
        await RowsAsync();
        await neighbours.PryAsync(Tenant.Default, Neighbours.Tenant);
        await neighbours.PryAsync(Neighbours.Tenant, Tenant.Default);
    }

    /// <summary>Each start that was acknowledged is there once, whatever the same key has started in the first workspace.</summary>
    private void Promises(IReadOnlyDictionary<Guid, Found> beside)
    {
        var starts = neighbours.People.Wishes.Where(w => w.Run is not null).ToList();
        foreach (var wish in starts)
        {
            if (!beside.TryGetValue(wish.Run!.Value, out var run)) cluster.Scheduler.Fail($"run {Names.Of(wish.Run.Value)} was acknowledged next door (start {wish.Number}) and is not there");
            else if (run.Row.Definition.Name != wish.Program || run.Number != wish.Input) Wrong(run, "it runs something else than was asked for");
        }
        if (starts.DistinctBy(w => w.Run).Count() < starts.Count) cluster.Scheduler.Fail("two starts next door were answered with one run");
        var roots = beside.Values.Count(r => r.Row.Parent is null && !r.IsByEvent);
        if (roots > neighbours.People.Wishes.Count) cluster.Scheduler.Fail($"{neighbours.People.Wishes.Count} starts were asked for next door, and there are {roots} runs");
    }

    /// <summary>It ran the definition of its own workspace, as that allows and on its own: nobody there suspends, cancels, forks or takes back anything.</summary>
    private void Ending(Found run, IReadOnlyDictionary<Guid, Found> beside)
    {
        var (row, state, program) = (run.Row, run.History.State, run.Row.Definition.Name);
        if (row.Hash != cluster.Catalog.First(Neighbours.Tenant, program).Hash) Wrong(run, $"it runs another {program} than that of its workspace");
        if (row.Trigger is not null || row.Fork is not null || run.Entries.Any(e => e is HoldEntry or Entry.RunSuspended or Entry.RunCancelled or Entry.RunForked or RunRedriven)) Wrong(run, "something was done to it that nobody in its workspace wanted");
        if (row.Parent is { } parent && !(beside.TryGetValue(parent, out var above) && above.Entries.Any(e => e is Entry.StepStarted s && s.Child == row.Id))) Wrong(run, "its parent knows nothing of it");
        var outcome = state.Phase == RunPhase.Completed ? Outcome.Value((int)state.Output["n"].AsNumber()) : Outcome.Error(state.Error?.Type ?? "");
        if (!cluster.Beside.EndsOf(new ProgramRef(program, ProgramRef.First), run.Number).Allows(outcome) || outcome.Type == ErrorTypes.Runtime) Wrong(run, $"{program} next door ended with {outcome} on {state.Input}");
    }

    /// <summary>What was answered is kept, who listened heard events of its own workspace, and each that starts runs has started one of each definition that begins by it, where it was sent.</summary>
    private async Task EventsAsync(IEnumerable<Found> all, IReadOnlyList<Found> beside)
    {
        var kept = (await cluster.Database!.ReadAsync(db => db.Query("select position, workspace, type, id from event", r => (Position: r.Long(0), Event: new Kept(r.Id(1), r.Text(2), r.Text(3)))))).ToDictionary(e => e.Position, e => e.Event);
        var own = kept.Values.Where(e => e.Workspace == Neighbours.Tenant.Workspace).ToList();
        var ids = own.Select(e => e.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var id in neighbours.People.Heard.Where(id => !ids.Contains(id))) cluster.Scheduler.Fail($"event {id} was acknowledged next door and is not there");
        foreach (var run in all)
            foreach (var consumed in run.Entries.OfType<Entry.EventConsumed>())
                if (!kept.TryGetValue(consumed.Event, out var heard) || heard.Workspace != run.Row.Tenant.Workspace) Wrong(run, $"its step {consumed.Step} heard event {consumed.Event}, which is not of its workspace");
        // Nobody there listens for such, and there are no sinks.
        if (own.Find(e => !e.Type.StartsWith("sim.", StringComparison.Ordinal)) is { } strange) cluster.Scheduler.Fail($"next door there is an event {strange.Id} of {strange.Type}");
        var starting = own.Count(e => e.Type == Started);
        foreach (var program in cluster.Beside.All)
        {
            var (expected, begun) = (program.Timing is null ? 0 : starting, beside.Count(r => r.IsByEvent && r.Row.Definition.Name == program.Name));
            if (begun != expected) cluster.Scheduler.Fail($"{expected} runs of {program.Name} were to be started by events next door, and {begun} were");
        }
    }

    /// <summary>What failed there is put aside there, and nobody of the first workspace tries it again.</summary>
    private async Task LettersAsync(IEnumerable<Found> beside)
    {
        var letters = await cluster.Database!.ReadAsync(db => db.Query("select subject from dead_letter where workspace = $1", r => r.Text(0), Neighbours.Tenant.Workspace));
        var failed = beside.Where(r => r.Row.State == RunPhase.Faulted && cluster.Beside[r.Row.Definition.Name].IsPutAside).Select(r => r.Row.Id.ToString());
        if (!failed.Order(StringComparer.Ordinal).SequenceEqual(letters.Order(StringComparer.Ordinal))) cluster.Scheduler.Fail($"next door is put aside: {string.Join(", ", letters)}; there failed: {string.Join(", ", failed)}");
    }

    /// <summary>Whatever names a run or an event stands in the workspace of it: every column of every table that can hold an id.</summary>
    private async Task RowsAsync()
    {
        var columns = await cluster.Database!.ReadAsync(db => db.Query(
            """
            select t.name, c.name from sqlite_master t join pragma_table_info(t.name) c
            where t.type = 'table' and exists (select 1 from pragma_table_info(t.name) w where w.name = 'workspace')
                and (c.name = 'event' or (lower(c.type) = 'blob' and c.name not in ('organisation', 'workspace')))
            order by t.name, c.cid
            """,
            r => (Table: r.Text(0), Column: r.Text(1))));
        if (!columns.Contains(("signal", "run")) || !columns.Contains(("event_hearing", "event"))) cluster.Scheduler.Fail("which rows belong to runs could not be found out");
        const string Other = "case when t.workspace = $1 then $2 else $1 end";
        var strays = string.Join("\nunion all ", columns.Select(c => c.Column == "event"
            ? $"select '{c.Table}.event' as place from {c.Table} t join event e on e.position = t.event where e.workspace = {Other}"
            : $"select '{c.Table}.{c.Column}' as place from {c.Table} t join run r on r.workspace = {Other} and r.id = t.{c.Column}"));
        foreach (var stray in await cluster.Database!.ReadAsync(db => db.Query($"select place, count(*) from ({strays}) group by place", r => $"{r.Long(1)} rows of {r.Text(0)}", Tenant.Default.Workspace, Neighbours.Tenant.Workspace)))
            cluster.Scheduler.Fail($"{stray} name what is of another workspace");
    }

    private void Wrong(Found run, string what) => cluster.Scheduler.Fail($"run {run.Name}: {what}");
}
