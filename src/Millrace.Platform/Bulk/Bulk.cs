using System.Globalization;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Definitions;
using Millrace.Platform.Forks;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Bulk;

public enum BulkAction { Retry, Fork, Cancel, Suspend, Resume }

public enum BulkState { Running, Completed, Cancelled }

/// <summary>One run that the wish did not fit.</summary>
public sealed record BulkRefusal(Guid Run, string Code, string Detail);

/// <summary>One wish about many runs, and how far it has come.</summary>
/// <param name="Request">As it was made.</param>
/// <param name="Found">Runs that fitted when it was asked for.</param>
/// <param name="Done">Runs it was carried out on.</param>
/// <param name="Refused">Runs that had meanwhile come into a state it does not fit, or that cannot take it.</param>
/// <param name="Refusals">The first of them.</param>
public sealed record BulkWork(
    Guid Id, BulkAction Action, Json Request, BulkState State, long Found, long Done, long Refused, IReadOnlyList<BulkRefusal> Refusals,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt);

/// <summary>Body of a request about many runs. Described here, read by hand: see <see cref="BulkWish"/>.</summary>
/// <param name="Step">For <c>fork</c>: the place, as when one run is forked; a step's number means little here, so <c>task</c> or <c>seq</c>.</param>
public sealed record BulkBody(BulkAction Action, BulkFilter Filter, string? Task, long? Seq, ForkVersion? Definition, string? Reason);

/// <param name="States">Only runs in these; what the action fits when absent.</param>
/// <param name="Ids">Only these runs.</param>
/// <param name="Children">False: only runs that no other run has started.</param>
public sealed record BulkFilter(
    IReadOnlyList<RunPhase>? States, string? Namespace, string? Name, IReadOnlyList<Guid>? Ids, DateTimeOffset? CreatedAfter, DateTimeOffset? CreatedBefore, Guid? ForkOf, bool? Children);

/// <summary>A wish about many runs as it was understood. Read from the request, which is what is kept.</summary>
internal sealed record BulkWish(BulkAction Action, RunFilter Filter, IReadOnlyList<Guid>? Ids, ForkPoint? Point, string? Version, string? Reason)
{
    public const int IdsMax = 1000;

    private const int NameMax = 200;

    /// <exception cref="Problem">400, with every part that is wrong.</exception>
    public static BulkWish Read(Json request)
    {
        var body = new BodyShape(request);
        var action = Named<BulkAction>(body, "action", body.RequiredText("action", 20)) ?? default;
        var filter = body.Object("filter");
        var (runs, ids) = ReadFilter(filter, action);
        ForkPoint? point = action == BulkAction.Retry ? new ForkPoint.Failure() : null;
        if (action == BulkAction.Fork) point = ForkEndpoints.ReadPoint(body);
        var version = action is BulkAction.Retry or BulkAction.Fork ? ForkEndpoints.ReadVersion(body) : null;
        var reason = body.OptionalText("reason", RunEndpoints.ReasonMax);
        body.NoMore();
        body.ThrowIfWrong();
        return new BulkWish(action, runs, ids, point, version, reason);
    }

    private static (RunFilter, IReadOnlyList<Guid>?) ReadFilter(BodyShape filter, BulkAction action)
    {
        var names = filter.OptionalTexts("states", 7, 20);
        var states = (names ?? []).Select(n => Named<RunPhase>(filter, "states", n)).OfType<RunPhase>().Distinct().ToList();
        var fits = FitsFor(action);
        if (states.Find(s => !fits.Contains(s)) is var unfit && states.Exists(s => !fits.Contains(s)))
            filter.Refuse("states", $"A run that is {NameOf(unfit)} cannot take '{NameOf(action)}'.", $"some of {string.Join(", ", fits.Select(f => NameOf(f)))}");
        var (space, name) = (filter.OptionalText("namespace", NameMax), filter.OptionalText("name", NameMax));
        var ids = ReadIds(filter);
        var (from, to) = (Time(filter, "createdAfter"), Time(filter, "createdBefore"));
        var forkOf = filter.OptionalText("forkOf", 36) is { } text ? Id(filter, "forkOf", text) : null;
        var children = filter.OptionalFlag("children");
        filter.NoMore();
        if (ids is not null && children is not null) filter.Refuse("children", "Runs that are named one by one are not sought by anything else.", "ids alone");
        var sought = names is not null || space is not null || name is not null || from is not null || to is not null || forkOf is not null;
        if (ids is not null && sought) filter.Refuse("ids", "Runs that are named one by one are not sought by anything else.", "ids alone");
        // A wish that says nothing about which runs would be one about all of them: that must be said.
        if (ids is null && !sought) filter.Refuse("", "The filter is empty.", "at least one of states, namespace, name, ids, createdAfter, createdBefore, forkOf");
        return (new RunFilter(states.Count > 0 ? states : fits, space, name, null, null, 0) { AskedTo = states.Count > 0 ? null : AskedBefore(action), ForkOf = forkOf, TopOnly = children == false, CreatedFrom = from, CreatedTo = to }, ids);
    }

    private static RunPhase[] FitsFor(BulkAction action) => action switch
    {
        BulkAction.Retry => [RunPhase.Faulted, RunPhase.Cancelled],
        BulkAction.Cancel => [RunPhase.Pending, RunPhase.Running, RunPhase.Waiting, RunPhase.Suspended],
        BulkAction.Suspend => [RunPhase.Pending, RunPhase.Running, RunPhase.Waiting],
        BulkAction.Resume => [RunPhase.Suspended],
        _ => Enum.GetValues<RunPhase>(),
    };

    /// <summary>Whoever was asked for the opposite just now, and has not come to it, fits as well.</summary>
    private static RunWish? AskedBefore(BulkAction action) => action switch
    {
        BulkAction.Suspend => RunWish.Resume,
        BulkAction.Resume => RunWish.Suspend,
        _ => null,
    };

    private static List<Guid>? ReadIds(BodyShape filter)
    {
        if (filter.OptionalTexts("ids", IdsMax, 36) is not { } texts) return null;
        // Newest first, as all runs are taken.
        return [.. texts.Select(t => Id(filter, "ids", t)).OfType<Guid>().Distinct().OrderByDescending(id => id.ToString(), StringComparer.Ordinal)];
    }

    private static Guid? Id(BodyShape filter, string name, string text)
    {
        if (Guid.TryParseExact(text, "D", out var id)) return id;
        filter.Refuse(name, $"'{text}' is no id.", "a UUID");
        return null;
    }

    private static long? Time(BodyShape filter, string name)
    {
        if (filter.OptionalText(name, 40) is not { } text) return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return Micros.Of(time);
        filter.Refuse(name, $"'{text}' is no time.", "a date and time of RFC 3339");
        return null;
    }

    private static T? Named<T>(BodyShape shape, string member, string text) where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
            if (NameOf(value) == text) return value;
        if (text.Length > 0) shape.Refuse(member, $"'{text}' is not known.", $"one of {string.Join(", ", Enum.GetValues<T>().Select(v => NameOf(v)))}");
        return null;
    }

    private static string NameOf<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
