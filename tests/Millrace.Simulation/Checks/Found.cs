using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Simulation.World;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>A run as it is found on disk.</summary>
internal sealed record Found(RunRow Row, RunHistory History, IReadOnlyList<DecodedRecord> Records)
{
    public string Name => Names.Of(Row.Id);

    /// <summary>Records that a fork took over from its source; of others none.</summary>
    public int Copied { get; } = Row.Fork is null ? 0 : Math.Max(0, Records.ToList().FindLastIndex(r => r.Entries.Any(e => e is Entry.RunForked)));

    /// <summary>Where a fork parted from its source; null for one that began by itself.</summary>
    public Entry.RunForked? Parted => Row.Fork is null ? null : Records[Copied].Entries.OfType<Entry.RunForked>().LastOrDefault();

    public IEnumerable<Entry> Entries => Records.SelectMany(r => r.Entries);

    /// <summary>Without what a fork took over.</summary>
    public IEnumerable<DecodedRecord> OwnRecords => Records.Skip(Copied);

    public IEnumerable<Entry> Own => OwnRecords.SelectMany(r => r.Entries);

    /// <summary>An event has started it, or several have.</summary>
    public bool IsByEvent => Row is { Parent: null } && History.State.Input.IsArray;

    /// <summary>What it was started on.</summary>
    public int Number => (int)(History.State.Input.IsArray ? History.State.Input.AsArray()[0]["data"]["n"] : History.State.Input["n"]).AsNumber();

    /// <summary>It had ended and was taken back, so what was told of its end may not be so any more.</summary>
    public bool IsRedriven => Own.Any(e => e is RunRedriven);
}
