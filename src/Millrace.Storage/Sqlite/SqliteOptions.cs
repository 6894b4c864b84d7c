namespace Millrace.Storage.Sqlite;

/// <summary>Settings of one data file. The defaults suit one process on one machine.</summary>
public sealed record SqliteOptions
{
    /// <summary>Most reads at the same time; further ones wait. 1 to 64.</summary>
    public int ReadersMax { get; init; } = 8;

    /// <summary>Page cache of the writing connection; each reading connection gets a quarter. 1,024 to 4,194,304.</summary>
    public int CacheKiB { get; init; } = 65_536;

    /// <summary>How long a statement waits for a lock that another program holds on the file. 0 to 60,000.</summary>
    public int BusyTimeoutMs { get; init; } = 5_000;

    /// <summary>
    /// Pages (of 4 KiB) the write-ahead log may hold before it is folded into the data file. 64 to 1,000,000. Once the log's file
    /// has reached that size it is written over in place, and syncing a file that does not grow is a third quicker.
    /// </summary>
    public int CheckpointPages { get; init; } = 2_000;

    /// <summary>Largest data file in pages of 4 KiB; beyond it writes fail as on a full disk. Null: only the disk is the limit.</summary>
    public int? PagesMax { get; init; }

    /// <summary>While a recoverable fault lasts, one write per this many milliseconds is tried. 1 to 60,000.</summary>
    public int ProbeIntervalMs { get; init; } = 250;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Who folds the log, and writes what gathers, where there are no threads.</summary>
    internal WorkPool Pool { get; init; } = WorkPool.Threads;

    /// <summary>The file layer, by its name in SQLite (https://sqlite.org/vfs.html). Null: the system's own, and the file is locked and its folder made. A simulated disk brings its own.</summary>
    internal string? FileLayer { get; init; }

    internal void Check()
    {
        Within(ReadersMax, 1, 64, nameof(ReadersMax));
        Within(CacheKiB, 1_024, 4_194_304, nameof(CacheKiB));
        Within(BusyTimeoutMs, 0, 60_000, nameof(BusyTimeoutMs));
        Within(CheckpointPages, 64, 1_000_000, nameof(CheckpointPages));
        Within(ProbeIntervalMs, 1, 60_000, nameof(ProbeIntervalMs));
        if (PagesMax is { } pages) Within(pages, 1, int.MaxValue, nameof(PagesMax));
    }

    private static void Within(int value, int least, int most, string name)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least} to {most}.");
    }
}
