using System.Collections.Concurrent;

namespace Millrace.Tests.Crash;

/// <summary>What the world outside sees of limits: who is at a line at once. Whoever has left does not come again, however often the request is repeated.</summary>
internal sealed class BusyLines
{
    private readonly ConcurrentDictionary<string, Line> _lines = new();
    private readonly ConcurrentQueue<string> _crowds = new();

    private sealed class Line
    {
        public HashSet<string> There { get; } = [];
        public HashSet<string> Gone { get; } = [];
    }

    /// <summary>Each time that there were more at a line than it bears.</summary>
    public IReadOnlyCollection<string> Crowds => _crowds;

    /// <summary>The most that were seen at a line at once.</summary>
    public int Most { get; private set; }

    public void Enter(string name, string who, int most)
    {
        var line = _lines.GetOrAdd(name, _ => new Line());
        lock (line)
        {
            if (line.Gone.Contains(who) || !line.There.Add(who)) return;
            Most = Math.Max(Most, line.There.Count);
            if (line.There.Count > most) _crowds.Enqueue($"{string.Join(", ", line.There)} were at {name} at once, which bears {most}");
        }
    }

    public void Leave(string name, string who)
    {
        var line = _lines.GetOrAdd(name, _ => new Line());
        lock (line)
        {
            line.There.Remove(who);
            line.Gone.Add(who);
        }
    }
}
