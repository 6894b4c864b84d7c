using System.Globalization;

namespace Millrace.Simulation.Programs;

/// <summary>A program and its versions that are meant: one, or the newest that there is.</summary>
internal readonly record struct ProgramRef(string Name, string Version)
{
    public const string First = "1.0.0", Second = "1.1.0", Latest = "latest";

    public string Text => $"\"namespace\": \"sim\", \"name\": \"{Name}\", \"version\": \"{Version}\"";

    public bool MeansOne => Version is First or Second;
}

internal sealed record RandomProgram(string Name, Block Block, int TimeoutMs)
{
    public string Version { get; init; } = ProgramRef.First;

    /// <summary>The version that is pushed while runs of this one are under way; null: none. What is said of its runs besides tasks is the same.</summary>
    public RandomProgram? Newer { get; init; }

    /// <summary>What starts runs of it besides people and other runs; null: nothing.</summary>
    public Timing? Timing { get; init; }

    /// <summary>What is done around its tasks.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];

    /// <summary>For how long its runs are kept when they have ended; 0 for ever.</summary>
    public int KeptMs { get; init; }

    /// <summary>Runs that failed are put aside for somebody to look at.</summary>
    public bool IsPutAside { get; init; }

    /// <summary>How often its runs go on as others; 0 for never.</summary>
    public int Times { get; init; }

    /// <summary>They go on as runs of the latest version.</summary>
    public bool GoesOnAsLatest { get; init; }

    /// <summary>What its runs need before they work; null: nothing.</summary>
    public Flow? Flow { get; init; }

    public string Text
    {
        get
        {
            var timeout = TimeoutMs == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"\"timeout\": {{ \"after\": {{ \"milliseconds\": {TimeoutMs} }} }},");
            var schedule = Timing is null ? "" : $"\"schedule\": {Timing.Schedule},";
            var input = Timing?.Input is { } from ? $"\"input\": {from}," : "";
            var extensions = Extensions.Count == 0 ? "" : $", \"extensions\": [ {string.Join(", ", Extensions.Select(e => e.Text))} ]";
            List<string> policies = [];
            if (Timing?.Policy is { } own) policies.Add($"\"schedule\": {own}");
            if (KeptMs > 0) policies.Add(string.Create(CultureInfo.InvariantCulture, $"\"retention\": {{ \"completed\": {{ \"milliseconds\": {KeptMs} }}, \"faulted\": {{ \"milliseconds\": {KeptMs} }}, \"cancelled\": {{ \"milliseconds\": {KeptMs} }} }}"));
            if (IsPutAside) policies.Add("\"deadLetter\": true");
            if (Flow is not null) policies.Add(Flow.Text);
            var policy = policies.Count == 0 ? "" : $", \"metadata\": {{ {string.Join(", ", policies)} }}";
            return $$"""
                { "document": { "dsl": "1.0.3", "namespace": "sim", "name": "{{Name}}", "version": "{{Version}}"{{policy}} },
                  {{schedule}}{{timeout}}{{input}} "use": { "secrets": [ "token" ]{{extensions}} },
                  "do": {{Block.Text}} }
                """;
        }
    }
}
