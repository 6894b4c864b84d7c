using System.Globalization;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.Programs;

/// <summary>How many runs of a program work at once, how fast they begin, and which of many starts counts.</summary>
/// <param name="Cancels">Runs may have to make room for others.</param>
internal sealed record Flow(string Text, bool Cancels)
{
    /// <summary>Several programs share the slots of this name.</summary>
    public const string Shared = "shared";

    private const int SharedMost = 2;

    /// <summary>A batch has no number of its own.</summary>
    private const string Key = "${ (.n? // 0) % 3 }";

    public static Flow? Roll(Dice dice)
    {
        if (!dice.Chance(0.3)) return null;
        var parts = new List<string>();
        var cancels = false;
        var limits = new List<string>();
        if (dice.Chance(0.7))
        {
            var how = dice.Below(6);
            cancels = how > 3;
            var more = how switch
            {
                0 => ", \"counts\": \"unfinished\"",
                1 => ", \"groupRoundRobin\": \"${ (.n? // 0) % 2 }\"",
                4 => ", \"onLimit\": \"cancelInProgress\"",
                5 => ", \"onLimit\": \"cancelNewest\"",
                _ => "",
            };
            limits.Add(string.Create(CultureInfo.InvariantCulture, $"{{ {(dice.Chance(0.6) ? $"\"key\": \"{Key}\", " : "")}\"limit\": {dice.Between(1, 3)}{more} }}"));
        }
        if (dice.Chance(0.4)) limits.Add(string.Create(CultureInfo.InvariantCulture, $"{{ \"name\": \"{Shared}\", \"limit\": {SharedMost} }}"));
        if (limits.Count > 0) parts.Add($"\"concurrency\": [ {string.Join(", ", limits)} ]");
        if (dice.Chance(0.25)) parts.Add(string.Create(CultureInfo.InvariantCulture, $"\"rateLimit\": {{ \"limit\": {dice.Between(1, 3)}, \"per\": {{ \"milliseconds\": {dice.Between(200, 5_000)} }} }}"));
        if (dice.Chance(0.2))
        {
            cancels = true;
            var after = dice.Between(100, 3_000);
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"\"debounce\": {{ \"key\": \"{Key}\", \"after\": {{ \"milliseconds\": {after} }}, \"max\": {{ \"milliseconds\": {after + dice.Between(0, 5_000)} }} }}"));
        }
        if (dice.Chance(0.3)) parts.Add("\"priority\": \"${ (.n? // 0) % 4 }\"");
        return parts.Count == 0 ? null : new Flow($"\"flow\": {{ {string.Join(", ", parts)} }}", cancels);
    }
}
