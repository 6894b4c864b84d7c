using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <summary>Whether what was done was undone, each effect once, the last first, before the run ended.</summary>
internal static class ChaosUndoing
{
    public static ChaosPart Judge(ChaosClients clients, CountingService outside, IReadOnlyDictionary<string, ChaosRow> rows)
    {
        var part = new ChaosPart("undo_faults", "runs");
        var places = new Dictionary<string, int>();
        foreach (var effect in outside.Order) places.TryAdd(effect, places.Count);
        var (runs, undone) = (0, 0);
        foreach (var (number, id) in clients.Acknowledged)
        {
            var kind = clients.Of(number);
            if (kind.Undone.Length == 0 || !rows.TryGetValue(id, out var row) || row.State < ChaosRow.Cancelled) continue;
            runs++;
            // Whoever had begun what follows an effect had completed it.
            string[] followed = [.. kind.Undone, "c"];
            int? Place(string suffix) => places.TryGetValue(ChaosKind.Effect(number, suffix), out var at) ? at : null;
            for (var i = 0; i < kind.Undone.Length; i++)
            {
                var (done, undo, next) = (Place(followed[i]), Place($"u{followed[i]}"), Place(followed[i + 1]));
                if (undo is not null) undone++;
                if (next is not null && undo is null) part.Complain($"run {number}, {id} of {kind.Name}, is {row.StateName}, and its effect {followed[i]} was not undone");
                if (undo is not null && done is null) part.Complain($"run {number}, {id} of {kind.Name}, undid {followed[i]}, which was not done");
                if (i > 0 && Place($"u{followed[i - 1]}") is { } earlier && undo is { } later && later > earlier) part.Complain($"run {number}, {id} of {kind.Name}, undid {followed[i - 1]} before {followed[i]}");
            }
        }
        part.Seen = $"of {runs}: an effect not undone, undone though it was not done, or in the wrong order; {undone} effects undone";
        return part;
    }
}
