using System.Globalization;
using System.Text.Json;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>Who follows sees everything from where it began, once, in order and as it was, over however many connections.</summary>
internal sealed class Followed(Cluster cluster, Followers followers)
{
    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs)
    {
        var changes = await cluster.Database!.ReadAsync(db => new[] { Tenant.Default, Neighbours.Tenant }.ToDictionary(t => t, t => JournalStore.StateChanges(db, t, -1, int.MaxValue)));
        foreach (var following in followers.All)
        {
            for (var i = 1; i < following.Seen.Count; i++)
                if (following.Seen[i].Position <= following.Seen[i - 1].Position) Wrong(following, $"saw {following.Seen[i].Position} after {following.Seen[i - 1].Position}");
            if (following.Seen.Count > 0 && following.Seen[0].Position <= following.Began) Wrong(following, $"saw {following.Seen[0].Position}");
            if (following.Run is { } run) OfRun(following, runs.GetValueOrDefault(run));
            else OfWorkspace(following, changes[following.Tenant].ToLookup(c => c.Run, c => c.Position), runs);
        }
    }

    private void OfRun(Following following, Found? run)
    {
        var first = (following.Began ?? -1) + 1;
        for (var i = 0; i < following.Seen.Count; i++)
            if (following.Seen[i].Position != first + i) Wrong(following, $"saw record {following.Seen[i].Position} where record {first + i} was to come");
        if (run is null) return;
        foreach (var shown in following.Seen)
        {
            if (shown.Position >= run.Records.Count || DateTimeOffset.Parse(shown.Data["at"].AsString(), CultureInfo.InvariantCulture) != Micros.ToTime(run.Records[(int)shown.Position].At)) Wrong(following, $"saw record {shown.Position} as of {shown.Data["at"]}, which is another");
            else if (run.Records[(int)shown.Position].State is { } state && !Is(shown.Data["run"]["state"], state)) Wrong(following, $"saw the run {shown.Data["run"]["state"]} at record {shown.Position}, which made it {state}");
        }
        // What comes after it was taken back is another story; who heard the end does not see it.
        if (following.HasEnded && !run.IsRedriven && following.Position != run.Records[^1].Seq) Wrong(following, $"was told that it has ended after {following.Position} of {run.Records[^1].Seq} records");
    }

    /// <summary>Changes that come close together are told as one, at the last of them; so the last of each run is told.</summary>
    private void OfWorkspace(Following following, ILookup<Guid, long> changes, IReadOnlyDictionary<Guid, Found> runs)
    {
        var told = following.Seen.ToLookup(s => Guid.Parse(s.Data["id"].AsString()));
        foreach (var of in told.Where(t => runs.ContainsKey(t.Key)))
            foreach (var shown in of.Where(s => !changes[of.Key].Contains(s.Position))) Wrong(following, $"saw run {Names.Of(of.Key)} change at {shown.Position}, where it did not, or not in that workspace");
        foreach (var run in runs.Values.Where(r => r.Row.Tenant == following.Tenant))
        {
            if (changes[run.Row.Id].LastOrDefault(-1) is var last && last <= following.Began) continue;
            if (told[run.Row.Id].LastOrDefault() is not { } shown || shown.Position != last) Wrong(following, $"did not see the last of {run.Name}, at {last}");
            else if (!Is(shown.Data["state"], run.Row.State)) Wrong(following, $"saw {run.Name} {shown.Data["state"]} at last, which is {run.Row.State}");
        }
    }

    private static bool Is(Json shown, RunPhase state) => shown.AsString() == JsonNamingPolicy.CamelCase.ConvertName($"{state}");

    private void Wrong(Following following, string what) => cluster.Scheduler.Fail($"{following} {what}");
}
