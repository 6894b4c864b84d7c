using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.Connectors.Processes;

/// <summary>
/// The processes that one start has led to, found in <c>/proc</c> (proc(5)): members of its session, descendants of any member, and, since a
/// daemon leaves both, every process whose environment or working folder names the start's scratch folder, which is unique.
/// Only one that clears its environment, leaves the folder and detaches from its parent, all three, is not found; that takes a sandbox.
/// </summary>
internal sealed class ProcessTree
{
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(2);

    private readonly int _leader;
    private readonly ulong? _leaderStartedAt;
    private readonly string _scratch;
    private readonly byte[] _mark;

    private ProcessTree(int leader, string scratch)
    {
        _leader = leader;
        _leaderStartedAt = Read(leader)?.StartedAt;
        _scratch = scratch;
        _mark = Encoding.UTF8.GetBytes(scratch);
    }

    private readonly record struct Entry(int Pid, int Parent, int Session, ulong StartedAt);

    /// <param name="leader">A process just started, which leads its own session.</param>
    public static ProcessTree Of(int leader, string scratch) => new(leader, scratch);

    /// <summary>
    /// Asks all members to end, and ends those that are still there after the grace. How long a process takes to die is measured by the machine's
    /// clock, whatever clock the run goes by.
    /// </summary>
    public async Task EndAsync(TimeSpan grace)
    {
        var members = Members();
        if (members.Count == 0) return;
        Signal(members, SigTerm);
        await UntilGoneAsync(grace);
        // A member may start others while it is being ended: look again until nobody is left.
        var started = Stopwatch.GetTimestamp();
        while ((members = Members()).Count > 0 && Stopwatch.GetElapsedTime(started) < KillPatience)
        {
            Signal(members, SigKill);
            await Task.Delay(Poll);
        }
    }

    private async Task UntilGoneAsync(TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < limit && Members().Count > 0)
            await Task.Delay(Poll);
    }

    private List<Entry> Members()
    {
        var all = Snapshot();
        var found = new HashSet<int>();
        // When the leader and its session are gone, its number may belong to somebody else.
        var recycled = all.Exists(e => e.Pid == _leader && e.StartedAt != _leaderStartedAt);
        foreach (var entry in all)
            if (!recycled && entry.Session == _leader || IsMarked(entry.Pid)) found.Add(entry.Pid);
        // Parents may stand after their children in the listing, so repeat until nothing is added.
        for (var before = -1; before != found.Count;)
        {
            before = found.Count;
            foreach (var entry in all)
                if (found.Contains(entry.Parent)) found.Add(entry.Pid);
        }
        return all.FindAll(e => found.Contains(e.Pid));
    }

    private static void Signal(List<Entry> members, int signal)
    {
        foreach (var member in members)
        {
            // The number may have gone to a new process since the listing.
            if (Read(member.Pid) is { } now && now.StartedAt == member.StartedAt) _ = kill(member.Pid, signal);
        }
    }

    private static List<Entry> Snapshot()
    {
        var all = new List<Entry>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && pid != Environment.ProcessId && Read(pid) is { } entry) all.Add(entry);
        }
        return all;
    }

    /// <returns>Null when the process is gone, or a zombie that only waits for its parent.</returns>
    private static Entry? Read(int pid)
    {
        try
        {
            // "pid (name) state ppid pgrp session …": the name may hold blanks and parentheses, so count from the last one.
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new Entry(pid, Number(fields[1]), Number(fields[3]), ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool IsMarked(int pid)
    {
        try
        {
            if (new FileInfo($"/proc/{pid}/cwd").LinkTarget is { } folder && folder.StartsWith(_scratch, StringComparison.Ordinal)) return true;
            return File.ReadAllBytes($"/proc/{pid}/environ").AsSpan().IndexOf(_mark) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int kill(int pid, int signal);
}
