using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Millrace.Testing.Virtual;

namespace Millrace.Testing.Disk;

/// <summary>A disk in memory, reached by SQLite through <see cref="SqliteFileLayer"/>. Its files outlive the processes that use it.</summary>
public sealed class SimulatedDisk : IDisposable
{
    private static readonly ConcurrentDictionary<string, SimulatedDisk> All = new(StringComparer.Ordinal);
    private static int _made;

    private readonly Dice _dice;
    private readonly Dictionary<string, SimulatedFile> _files = new(StringComparer.Ordinal);
    private readonly string _name = $"disk{Interlocked.Increment(ref _made)}";

    public SimulatedDisk(Dice dice)
    {
        _dice = dice;
        All[_name] = this;
    }

    /// <summary>Nothing more fits.</summary>
    public bool IsFull { get; set; }

    /// <summary>So many syncs from now on are refused.</summary>
    public int SyncsToRefuse { get; set; }

    /// <summary>So many writes from now on meet a fault of the device.</summary>
    public int WritesToRefuse { get; set; }

    public long Syncs { get; private set; }

    /// <summary>Sabotage: it says that it has synced and has not.</summary>
    public bool ForgetsSyncs { get; init; }

    /// <summary>Which life of the machine this is: files opened in an earlier one are out of reach.</summary>
    internal int Life { get; private set; }

    internal Dictionary<string, SharedIndex> Indexes { get; } = new(StringComparer.Ordinal);

    public string PathOf(string file) => $"/{_name}/{file}";

    /// <summary>What all files hold, as the system shows it.</summary>
    public IEnumerable<byte[]> Contents => _files.Values.Select(Content);

    /// <summary>What a file holds, as the system shows it.</summary>
    public byte[] Content(string file) => Content(File(PathOf(file)));

    /// <summary>Puts a file there, on the platter.</summary>
    public void Place(string file, ReadOnlySpan<byte> content)
    {
        var placed = File(PathOf(file));
        placed.Create();
        placed.Write(content, 0);
        TrySync(placed);
    }

    /// <summary>The process that had files open is gone; the system keeps what it wrote.</summary>
    public void LoseProcess()
    {
        Life++;
        Indexes.Clear();
    }

    /// <summary>The power goes: what was not synced may be lost, in part and in any order.</summary>
    public void LosePower()
    {
        LoseProcess();
        var kept = _dice.Below(4) switch { 0 => 0, 1 => 1, _ => _dice.Fraction() };
        foreach (var (_, file) in _files.OrderBy(f => f.Key, StringComparer.Ordinal)) file.LosePower(_dice, kept);
    }

    public void Dispose() => All.TryRemove(_name, out _);

    private static byte[] Content(SimulatedFile file)
    {
        var content = new byte[file.Length];
        file.Read(content, 0);
        return content;
    }

    internal static SimulatedDisk? Of(string path) => All.GetValueOrDefault(path.Split('/')[1]);

    internal SimulatedFile File(string path)
    {
        if (!_files.TryGetValue(path, out var file)) _files.Add(path, file = new SimulatedFile());
        return file;
    }

    internal bool TrySync(SimulatedFile file)
    {
        Syncs++;
        if (SyncsToRefuse > 0)
        {
            SyncsToRefuse--;
            file.FailSync(_dice);
            return false;
        }

        if (ForgetsSyncs) return true;
        file.Sync();
        // As SQLite's layer for Unix does: the first sync of a new file syncs its folder too.
        if (file.IsNew)
        {
            foreach (var one in _files.Values) one.SyncName();
        }

        return true;
    }
}

/// <summary>The shared memory beside a log file, by which connections of one process find pages in it.</summary>
internal sealed unsafe class SharedIndex
{
    private readonly List<nint> _regions = [];

    public List<OpenFile> Users { get; } = [];

    public nint Region(int number, int size, bool make)
    {
        while (make && _regions.Count <= number) _regions.Add((nint)NativeMemory.AllocZeroed((nuint)size));
        return number < _regions.Count ? _regions[number] : 0;
    }

    public void Leave(OpenFile user)
    {
        Users.Remove(user);
        if (Users.Count > 0) return;
        foreach (var region in _regions) NativeMemory.Free((void*)region);
        _regions.Clear();
    }
}
