using System.Globalization;
using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <summary>
/// What somebody does about a run later: nothing, fork it from a step, the same with a newer version of its definition, retry it, take it back to its map, try it again from the dead letters, retry, cancel or fork it with many others, let it stand
/// and go on with many others, let its map have more and fewer children at once, or send it a signal.
/// </summary>
internal enum ChaosSequel { None, Fork, Upgrade, Retry, Redrive, Requeue, BulkRetry, BulkCancel, BulkFork, BulkStand, Widen, Signal }

/// <summary>What a run of chaos is: which definition, which effects it has when it completes, and how it may end.</summary>
/// <param name="Effects">Suffixes of the effects' names, each recorded once when the run completes.</param>
/// <param name="Children">Child runs of one that completes, or <see cref="AnyNumber"/>.</param>
internal sealed record ChaosKind(string Name, string[] Effects, int Children, string[] MayEnd, string Tasks)
{
    public const string Completed = "completed", Cancelled = "cancelled", Faulted = "faulted";

    /// <summary>The version of all that are started, and the one that forks may go on with.</summary>
    public const string Version = "1.0.0", NewerVersion = "1.1.0";

    /// <summary>The definition that is made to stand and go on again.</summary>
    public const string Held = "held";

    /// <summary>Of children that are carried out again nobody knows how many there are.</summary>
    public const int AnyNumber = -1;

    /// <summary>How long a brief run stays. Longer than a request can be under way that was given up meanwhile: with the run its start key goes.</summary>
    public const int BriefSeconds = 30;

    /// <summary>The type of the events that runs listen for, of those that some need besides, of those that begin runs, of the one that all hear who stood, of those that runs emit, and of signals.</summary>
    public const string EventType = "chaos.told", AlsoType = "chaos.also", OrderType = "chaos.order", FreeType = "chaos.free", SpokenType = "chaos.spoken", SignalType = "chaos.go";

    /// <summary>What its document's metadata say.</summary>
    public string? Metadata { get; init; }

    /// <summary>The tasks of <see cref="NewerVersion"/>; null: there is none.</summary>
    public string? Newer { get; init; }

    /// <summary>What its document uses.</summary>
    public string? Use { get; init; }

    /// <summary>What begins its runs besides requests.</summary>
    public string? Schedule { get; init; }

    /// <summary>An event begins each of its runs: nobody is told the run's id.</summary>
    public bool IsBegunByEvent { get; init; }

    /// <summary>What somebody does about each of its runs after it was started.</summary>
    public ChaosSequel Sequel { get; init; }

    /// <summary>Suffixes of effects that are undone when the run does not complete, in the order in which they are done; the effect that undoes one has a <c>u</c> before its suffix.</summary>
    public string[] Undone { get; init; } = [];

    /// <summary>How many runs, each continuing the one before, it comes to.</summary>
    public int Links { get; init; } = 1;

    /// <summary>How many of its children fault though it completes.</summary>
    public int Tolerated { get; init; }

    /// <summary>It leaves some time after its end.</summary>
    public bool IsBrief { get; init; }

    /// <summary>The end by which all effects have happened, its own or those of the fork that goes on for it.</summary>
    public string Whole { get; init; } = Completed;

    /// <summary>What its runs ask people.</summary>
    public ChaosAsk? Ask { get; init; }

    /// <summary>Of three runs that share a key the last one takes the place of the others.</summary>
    public bool IsLastOfTrio { get; init; }

    /// <summary>Of three runs that share a key those that come while one works are cancelled.</summary>
    public bool IsFirstOfTrio { get; init; }

    /// <summary>Somebody cancels it.</summary>
    public bool IsWithdrawn => MayEnd.Contains(Cancelled) && !IsLastOfTrio && !IsFirstOfTrio && Sequel != ChaosSequel.BulkCancel;

    public bool IsPaused => Name == "paused";
    public bool IsHeld => Name == Held;

    /// <summary>Its run may end more than once, or be gone before whoever follows it has seen the end.</summary>
    public bool IsNotFollowed => IsBrief || Sequel == ChaosSequel.Redrive;

    /// <summary>Types of the events about it that somebody sends.</summary>
    public string[] Told { get; init; } = [];

    /// <summary>The name under which the world outside records an effect of run <paramref name="number"/>.</summary>
    public static string Effect(int number, string suffix) => $"r{number}.{suffix}";

    /// <summary>Its documents: one, or that of the newer version too.</summary>
    public IEnumerable<string> Documents(CountingService outside) => Newer is null ? [Document(outside, Version, Tasks)] : [Document(outside, Version, Tasks), Document(outside, NewerVersion, Newer)];

    private string Document(CountingService outside, string version, string tasks)
    {
        var metadata = Metadata is null ? "" : $", metadata: {{ {Metadata} }}";
        var schedule = Schedule is null ? "" : $"schedule: {{ {Schedule} }}\n";
        var use = Use is null ? "" : $"use: {{ {Use} }}\n";
        return $"document: {{ dsl: 1.0.3, namespace: chaos, name: {Name}, version: {version}{metadata} }}\n{use}{schedule}do:\n{tasks}".Replace("OUTSIDE", outside.Address.ToString().TrimEnd('/'), StringComparison.Ordinal)
            .Replace("RPCHOST", outside.RpcAddress.Host, StringComparison.Ordinal).Replace("RPCPORT", outside.RpcAddress.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }
}
