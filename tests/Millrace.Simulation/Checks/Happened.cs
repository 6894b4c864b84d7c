using Millrace.Engine.Forks;
using Millrace.Platform.Bulk;
using Millrace.Simulation.World;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>What came about in a seed. All of it must in some: checks of what never happens prove nothing.</summary>
internal static class Happened
{
    /// <summary>Each kind of thing, with how one sees that it was so.</summary>
    private static readonly Dictionary<string, Func<Story, bool>> Kinds = new(StringComparer.Ordinal)
    {
        ["a run was forked"] = s => s.Operators.Forks.Exists(f => f.Run is not null && f.Point is not ForkPoint.Failure),
        ["a run was forked with another input"] = s => s.Runs.Any(r => r.Parted is { Input: not null }),
        ["a run was forked inside another task"] = s => s.Runs.Any(r => r.Parted is { Scope: > 0 }),
        ["a child was forked"] = s => s.Runs.Any(r => r.Row.Fork is { } of && s.Runs.Any(p => p.Row.Id == of.Run && p.Row.Parent is not null)),
        ["a fork was forked"] = s => s.Runs.Any(r => r.Entries.Count(e => e is Entry.RunForked) > 1),
        ["a run was retried"] = s => s.Operators.Forks.Exists(f => f.Run is not null && f.Point is ForkPoint.Failure),
        ["a run was redriven"] = s => s.Runs.Any(r => r.IsRedriven),
        ["a signal was sent"] = s => s.Operators.Signals.Count > 0,
        ["a step was to have more or fewer children at once"] = s => Any<SpawnEntry.ConcurrencyChanged>(s),
        ["many runs were retried"] = s => s.Bulks.All.Exists(b => b.Action == BulkAction.Retry),
        ["many runs were forked"] = s => s.Bulks.All.Exists(b => b.Action == BulkAction.Fork),
        ["many runs were cancelled"] = s => s.Bulks.All.Exists(b => b.Action == BulkAction.Cancel),
        ["something was undone"] = s => s.Cluster.Outside.Undone.Count > 0,
        ["something could not be undone"] = s => s.Runs.Any(r => r.History.Steps.Values.Any(v => v is { Compensates: not null, State: Engine.Views.StepState.Faulted })),
        ["a run went on as another"] = s => s.Runs.Any(r => s.Chains.Continues(r.Row.Id)),
        ["a child went on as another run"] = s => s.Runs.Any(r => r.Row.Parent is not null && s.Chains.Continues(r.Row.Id)),
        ["a tick started a run"] = s => s.Runs.Any(r => r.Row.Trigger is not null),
        ["an event started a run"] = s => s.Runs.Any(r => r.IsByEvent),
        ["events were correlated"] = s => s.Runs.Any(r => r.Entries.Any(e => e is Entry.EventConsumed { Correlated: not null })),
        ["people were reminded"] = s => Any<ApprovalEntry.Reminded>(s),
        ["more people were asked"] = s => Any<ApprovalEntry.Escalated>(s),
        ["a vote was handed on"] = s => Any<ApprovalEntry.Delegated>(s),
        ["an item had a name"] = s => s.Runs.Any(r => r.History.State.Part?.Keys is not null),
        ["a step bore failures"] = s => s.Runs.Any(r => r.Entries.Any(e => e is SpawnEntry.Opened { FailuresMax: > 0 } or SpawnEntry.Opened { PercentMax: not null })),
        ["an extension was applied"] = s => s.Runs.Any(r => r.Entries.Any(e => e is ExtensionEntry.Applied { Layers.Count: > 0 })),
        ["a run was there no more"] = s => s.Gone > 0,
        ["a function was given a secret"] = s => s.Cluster.Outside.Trusted > 0,
        ["an event was sent"] = s => s.Cluster.Endpoint?.Taken.Count > 0,
        ["an event was sent again"] = s => s.Cluster.Endpoint is { } e && e.Taken.Distinct().Count() < e.Taken.Count,
        ["a failed run was put aside"] = s => s.Runs.Any(r => r.Row.State == RunPhase.Faulted && s.Cluster.Library[r.Row.Definition.Name].IsPutAside),
        ["what was put aside was tried again"] = s => s.Operators.Requeued.Count > 0,
        ["a run was of a newer version"] = s => s.Runs.Any(r => IsNewer(r) && r.Row is { Fork: null, Parent: null }),
        ["a child was of a newer version"] = s => s.Runs.Any(r => IsNewer(r) && r.Row is { Fork: null, Parent: not null }),
        ["a run went on as one of a newer version"] = s => s.Runs.Any(r => IsNewer(r) && s.Chains.BeforeOf(r.Row.Id) is { } before && s.Runs.Any(b => b.Row.Id == before && !IsNewer(b))),
        ["a fork went on with a newer version"] = s => s.Runs.Any(r => IsNewer(r) && r.Row.Fork is { } fork && s.Runs.Any(b => b.Row.Id == fork.Run && !IsNewer(b))),
        ["a tick or an event started a run of a newer version"] = s => s.Runs.Any(r => IsNewer(r) && (r.Row.Trigger is not null || r.IsByEvent)),
        ["children of a newer version were begun in numbers"] = s => s.Runs.Any(r => IsNewer(r) && r.History.State.Batch is not null),
        ["a member of a swarm ran out of time"] = s => s.Runs.Any(r => r.History.State is { Part.DeadlineAt: not null, Error.Type: Workflows.ErrorTypes.Timeout }),
        ["an event ended a listening"] = s => s.Runs.Any(r => r.Own.Any(e => e is Entry.EventConsumed { Ends: true })),
        ["an event was read as it was sent"] = s => s.Runs.Any(r => r.Own.Any(e => e is Entry.EventConsumed { Ends: false } c && c.Item["specversion"].IsString)),
        ["an event was read as text"] = s => s.Runs.Any(r => r.Own.Any(e => e is Entry.EventConsumed { Ends: false, Item.IsString: true })),
        ["a form was filled in"] = s => s.Runs.Any(r => r.Own.Any(e => e is ApprovalEntry.Voted { Vote.Form.IsObject: true })),
        ["a link to a question was followed"] = s => s.Voters.Followed > 0,
        ["something was done for a message"] = s => s.Runs.Any(r => r.Own.Any(e => e is Entry.SubStepCompleted m && m.Name.StartsWith(Intake.Prefix, StringComparison.Ordinal))),
        ["a message was enough"] = s => Any<Entry.IntakeClosed>(s),
        ["what was put aside was thrown away"] = s => s.Operators.Discarded.Count > 0,
        ["a limit was set"] = s => s.Operators.Limits.Count > 0,
        ["a schedule was told to start a run at once"] = s => s.Timekeepers.Started.Count > 0,
        ["a time that had passed was filled in"] = s => s.Runs.Any(r => r.Row.Trigger is { } t && s.Timekeepers.Filled.Exists(f => f.Program == r.Row.Definition.Name && f.From <= t.At && t.At <= f.To)),
        ["events started no run for a while"] = s => s.Timekeepers.Paused.Count > 0,
        ["a neighbour's run ended"] = s => s.Beside.Any(r => r.Row.IsFinished),
        ["one key started a run in each of two workspaces"] = s => s.Neighbours.ShareKeys,
        ["one id named an event in each of two workspaces"] = s => s.Neighbours.ShareEvents,
        ["a neighbour heard an event"] = s => s.Beside.Any(r => r.Own.Any(e => e is Entry.EventConsumed)),
        ["an event started a neighbour's run"] = s => s.Beside.Any(r => r.IsByEvent),
        ["somebody asked for a run next door that was under way"] = s => s.Neighbours.Refused > 0,
        ["who follows a run was told of its end"] = s => s.Followers.All.Exists(f => f.HasEnded),
        ["who follows a workspace saw a run end"] = s => s.Followers.All.Exists(f => f.Run is null && f.Seen.Exists(m => m.Data["endedAt"].IsString)),
        ["who follows came again and went on"] = s => s.Followers.All.Exists(f => f.Resumed > 0),
        ["who follows was served from the log"] = s => s.Followers.All.Exists(f => f.Replayed > 0),
    };

    public static IEnumerable<string> All => Kinds.Keys;

    /// <summary>A seed as it ended.</summary>
    internal sealed record Story(Cluster Cluster, Voters Voters, Operators Operators, Bulks Bulks, Timekeepers Timekeepers, IReadOnlyCollection<Found> Runs, Chains Chains, int Gone, Neighbours Neighbours, IReadOnlyCollection<Found> Beside, Followers Followers);

    public static IEnumerable<string> In(Story story) => Kinds.Where(k => k.Value(story)).Select(k => k.Key);

    private static bool IsNewer(Found run) => run.Row.Definition.Version == Programs.ProgramRef.Second;

    private static bool Any<T>(Story story) where T : Entry => story.Runs.Any(r => r.Own.Any(e => e is T));
}
