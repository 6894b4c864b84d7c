using System.Security.Cryptography;
using System.Text.Json;
using Millrace.Storage.Admin;

namespace Millrace.Server.Admin;

/// <param name="Path">Below the backup's folder, with slashes.</param>
internal sealed record BackupFile(string Path, long Size, string Sha256);

/// <summary>What a backup holds: <c>manifest.json</c>, written last, so that a folder without one is no backup.</summary>
/// <param name="Format">1.</param>
/// <param name="Shape"><c>sqlite</c> (<c>millrace.db</c>) or <c>postgres</c> (<c>millrace.dump</c>, of pg_dump).</param>
/// <param name="HasBlobs">False where they are in a bucket, which has its own backups.</param>
internal sealed record Manifest(int Format, string Shape, DateTimeOffset At, bool HasBlobs, IReadOnlyList<TableSum> Tables, IReadOnlyList<BackupFile> Files)
{
    public const string Sqlite = "sqlite";
    public const string Postgres = "postgres";
    public const string SqliteFile = "millrace.db";
    public const string PostgresFile = "millrace.dump";
    public const string Blobs = "blobs";

    private const string Name = "manifest.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static async Task<Manifest> ReadAsync(string folder, CancellationToken cancel)
    {
        var path = System.IO.Path.Combine(folder, Name);
        if (!File.Exists(path)) throw new AdminException($"{folder} is no backup, or one that was not finished: it has no {Name}.");
        try
        {
            await using var file = File.OpenRead(path);
            var manifest = await JsonSerializer.DeserializeAsync<Manifest>(file, Json, cancel);
            return manifest is { Format: 1 } ? manifest : throw new AdminException($"{path} is of a newer build.");
        }
        catch (JsonException e)
        {
            throw new AdminException($"{path} is damaged: {e.Message}");
        }
    }

    /// <summary>Writes the manifest of what is in the folder.</summary>
    public static async Task<Manifest> WriteAsync(string folder, string shape, DateTimeOffset at, bool hasBlobs, IReadOnlyList<TableSum> tables, CancellationToken cancel)
    {
        var files = new List<BackupFile>();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await using var content = File.OpenRead(path);
            files.Add(new BackupFile(System.IO.Path.GetRelativePath(folder, path).Replace('\\', '/'), content.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel))));
        }

        var manifest = new Manifest(1, shape, at, hasBlobs, tables, files);
        await using var file = new FileStream(System.IO.Path.Combine(folder, Name), FileMode.CreateNew);
        await JsonSerializer.SerializeAsync(file, manifest, Json, cancel);
        file.Flush(flushToDisk: true);
        return manifest;
    }

    /// <summary>Reads every file of the backup.</summary>
    /// <returns>What is wrong, one line each.</returns>
    public async Task<List<string>> CompareAsync(string folder, CancellationToken cancel)
    {
        var wrong = new List<string>();
        foreach (var expected in Files)
        {
            var path = System.IO.Path.Combine(folder, expected.Path);
            if (!File.Exists(path))
            {
                wrong.Add($"{expected.Path} is missing.");
                continue;
            }

            await using var content = File.OpenRead(path);
            if (content.Length != expected.Size || Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel)) != expected.Sha256) wrong.Add($"{expected.Path} is not what was backed up.");
        }

        return wrong;
    }
}
