using Millrace.Engine.Runs;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Simulation.Checks;

/// <summary>
/// Nobody ever had more slots than there are, nobody worked without, and all came back. A log of the test's own, which triggers write, says who had
/// which slot when a record was written.
/// </summary>
internal sealed class Slots(Cluster cluster)
{
    private sealed record Line(Guid Run, string Name, string What, long Held, long Most);

    public static void Install(DbUnit db)
    {
        db.Execute("create table if not exists slot_log (position integer primary key, run blob not null, name text not null, what text not null, held integer not null, most integer not null) strict");
        // What somebody has set counts for all that are given out then.
        const string Most = "coalesce((select s.most from limit_setting s where s.workspace = new.workspace and s.name = new.name), new.most)";
        const string Counted = "(select count(*) from limit_place where workspace = new.workspace and name = new.name and key = new.key and held in (1, 3))";
        db.Execute($"create trigger if not exists slot_taken after insert on limit_place when new.kind = 0 and new.held in (1, 3) begin insert into slot_log select null, new.run, new.name, 'given', {Counted}, {Most}; end");
        db.Execute($"create trigger if not exists slot_given after update of held on limit_place when new.kind = 0 and new.held = 1 and old.held = 0 begin insert into slot_log select null, new.run, new.name, 'given', {Counted}, {Most}; end");
        // What a run holds is the one's that it goes on as.
        db.Execute("""
            create trigger if not exists slot_handed_on after update of run on limit_place when new.kind = 0 and new.held in (1, 3) begin
                insert into slot_log values (null, old.run, old.name, 'left', 0, 0);
                insert into slot_log values (null, new.run, new.name, 'given', 0, new.most);
            end
            """);
        db.Execute("create trigger if not exists slot_left after delete on limit_place when old.kind = 0 and old.held in (1, 3) begin insert into slot_log values (null, old.run, old.name, 'left', 0, 0); end");
        db.Execute("""
            create trigger if not exists slot_used after insert on journal begin
                insert into slot_log values (null, new.run, '', case when instr(new.entries, cast('"step.started"' as blob)) > 0 and instr(new.entries, cast('"run.cancelled"' as blob)) = 0 then 'began' else 'wrote' end, 0, 0);
            end
            """);
        db.Execute("create trigger if not exists slot_wished after insert on signal when new.kind = 'cancel' begin insert into slot_log values (null, new.run, '', 'wished', 0, 0); end");
        // What rates were kept by is forgotten in time; a log remembers.
        db.Execute("create table if not exists start_log (position integer primary key, name text not null, key text not null, at integer not null, per integer not null, most integer not null) strict");
        db.Execute("""
            create trigger if not exists start_counted after insert on limit_start begin
                insert into start_log select null, new.name, new.key, new.at, p.micros, p.most from limit_place p where p.workspace = new.workspace and p.run = new.run and p.name = new.name and p.kind = 1;
            end
            """);
    }

    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs)
    {
        var left = await cluster.Database!.ReadAsync(db => db.Query("select run, name from limit_place", r => $"{r.Text(1)} of {Names.Of(r.Id(0))}"));
        if (left.Count > 0) cluster.Scheduler.Fail($"slots are left of runs that have ended: {string.Join(", ", left.Take(5))}");
        var holds = await cluster.Database!.ReadAsync(db => db.Query("select namespace, name from hold", r => $"{r.Text(0)}/{r.Text(1)}"));
        if (holds.Count > 0) cluster.Scheduler.Fail($"holds are left: {string.Join(", ", holds)}");
        var log = await cluster.Database!.ReadAsync(db => db.Query("select run, name, what, held, most from slot_log order by position", r => new Line(r.Id(0), r.Text(1), r.Text(2), r.Long(3), r.Long(4))));
        foreach (var given in log.Where(l => l.What == "given" && l.Held > l.Most)) cluster.Scheduler.Fail($"run {Names.Of(given.Run)} was the {given.Held}. to get a slot of {given.Name}, of which there are {given.Most}");
        foreach (var run in log.GroupBy(l => l.Run))
            if (runs.TryGetValue(run.Key, out var found)) Judge(found, [.. run]);
        // A clock that is ahead forgets starts too early.
        if (cluster.SharesClock) await JudgeRatesAsync();
    }

    /// <summary>A run begins a step only with all the slots it needs, but in a record that cancels it, of which nothing is carried out. It may let go in the very transaction in which it begins one that waits.</summary>
    private void Judge(Found run, List<Line> log)
    {
        var needs = (LimitPlan.Parse(run.Row.Limits)?.Needs ?? []).Where(n => n.Kind == NeedKind.Slot).Select(n => n.Name).ToList();
        if (needs.Count == 0) return;
        var held = new HashSet<string>();
        var leaving = new HashSet<string>();
        // What a fork took over, its source had done. Whoever wants a run to end does not wait until it can be undone, whatever it is undone for.
        var (record, free) = (0, run.Row.Fork is null ? 0 : run.Copied + 1);
        var undone = run.Records.ToList().FindIndex(r => r.Entries.Any(e => e is CompensationEntry.Begun));
        var wished = undone >= 0 && run.Records[undone].Entries.Any(e => e is CompensationEntry.Begun { Error: null });
        foreach (var line in log)
        {
            if (line.What is "began" or "wrote" && record++ is var at && (at < free || (wished && undone >= 0 && at >= undone))) continue;
            switch (line.What)
            {
                case "wished": wished = true; break;
                case "given": held.Add(line.Name); break;
                case "left":
                    held.Remove(line.Name);
                    leaving.Add(line.Name);
                    break;
                default:
                    if (line.What == "began" && needs.Find(n => !held.Contains(n) && !leaving.Contains(n)) is { } missing) cluster.Scheduler.Fail($"run {run.Name} began a step without a slot of {missing}");
                    leaving.Clear();
                    break;
            }
        }
    }

    /// <summary>No more began within any time of the length than the rate allows, by the clocks of those who let them.</summary>
    private async Task JudgeRatesAsync()
    {
        var starts = await cluster.Database!.ReadAsync(db => db.Query("select name, key, at, per, most from start_log", r => (Line: (r.Text(0), r.Text(1)), At: r.Long(2), Per: r.Long(3), Most: (int)r.Long(4))));
        foreach (var line in starts.GroupBy(s => s.Line))
        {
            var times = line.OrderBy(s => s.At).ToList();
            for (var i = times[0].Most; i < times.Count; i++)
                if (times[i].At - times[i - times[0].Most].At < times[0].Per) cluster.Scheduler.Fail($"{times[0].Most + 1} runs began at {line.Key} within {(times[i].At - times[i - times[0].Most].At) / 1000} ms");
        }
    }
}
