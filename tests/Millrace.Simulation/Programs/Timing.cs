using System.Globalization;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.Programs;

/// <summary>What makes runs of a program begin by themselves.</summary>
internal enum Begins
{
    Every,
    Cron,

    /// <summary>So long after the end of the one before.</summary>
    After,

    /// <summary>Each event of a type.</summary>
    Event,

    /// <summary>Each two events, one of either type.</summary>
    Events,
}

/// <param name="Ms">Time from one tick to the next, or from the end of a run to the next tick.</param>
/// <param name="Overlap">What becomes of a tick while the run of the one before is under way.</param>
internal sealed record Timing(Begins By, int Ms, string Overlap, string CatchUp, int JitterMs)
{
    /// <summary>What a run of a tick is started on.</summary>
    public const int TickInput = 3;

    public bool HasTicks => By < Begins.Event;

    /// <summary>Its runs never meet.</summary>
    public bool IsAlone => By == Begins.After || (HasTicks && Overlap != "allow");

    public bool Cancels => HasTicks && Overlap == "cancelOther";

    /// <summary>Each tick has a run, whatever happened when it was due.</summary>
    public bool HasNoGap => By is Begins.Every or Begins.Cron && Overlap == "allow" && CatchUp == "all";

    public string Schedule
    {
        get
        {
            var on = string.Join(", ", Programs.Events.Starting.Take(By == Begins.Events ? 2 : 1).Select(t => $$"""{ "with": { "type": "{{t}}" } }"""));
            return By switch
            {
                Begins.Every => Inv($$"""{ "every": { "milliseconds": {{Ms}} } }"""),
                Begins.Cron => Inv($$"""{ "cron": "*/{{Ms / 1000}} * * * * *" }"""),
                Begins.After => Inv($$"""{ "after": { "milliseconds": {{Ms}} } }"""),
                Begins.Event => $$"""{ "on": { "one": {{on}} } }""",
                _ => $$"""{ "on": { "all": [ {{on}} ] } }""",
            };
        }
    }

    /// <summary>The part that the language has no place for; null: none.</summary>
    public string? Policy => By switch
    {
        Begins.Every or Begins.Cron => Inv($$"""{ "overlap": "{{Overlap}}", "catchUp": { "mode": "{{CatchUp}}" }, "jitter": { "milliseconds": {{JitterMs}} }, "input": { "n": {{TickInput}} } }"""),
        Begins.After => Inv($$"""{ "input": { "n": {{TickInput}} } }"""),
        _ => null,
    };

    /// <summary>Events are an array of them; people and parents give a number as ever.</summary>
    public string? Input => HasTicks ? null : """{ "from": "${ if type == \"array\" then { n: .[0].data.n } else . end }" }""";

    public static Timing? Roll(Dice dice)
    {
        if (!dice.Chance(0.2)) return null;
        var by = dice.Of(Enum.GetValues<Begins>());
        var ms = by == Begins.Cron ? dice.Of([5, 10, 15, 20]) * 1000 : dice.Between(5_000, 20_000);
        return new Timing(by, ms, dice.Of(["allow", "allow", "skip", "bufferOne", "cancelOther"]), dice.Of(["all", "all", "latest", "none"]), dice.Chance(0.3) ? dice.Between(1, 2_000) : 0);
    }

    private static string Inv(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
