using System.Diagnostics;

namespace Millrace.Tests.Servers;

/// <summary>
/// A server that speaks S3 (npm s3rver, of tests/doubles-s3) on a free port of the loopback address, with one bucket. It knows no
/// signatures of version 4, no aborting of uploads and no conditions.
/// </summary>
internal sealed class S3Server : IAsyncDisposable
{
    public const string Bucket = "blobs";
    public const string Key = "S3RVER";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _folder;
    private Task _drained = Task.CompletedTask;

    private S3Server(Process process, string folder) => (_process, _folder) = (process, folder);

    public Uri Address { get; private set; } = null!;

    /// <summary>Where parts of uploads are until they are completed.</summary>
    public string UploadsFolder => Path.Combine(_folder, Bucket, "._S3rver_uploads");

    public static async Task<S3Server> StartAsync()
    {
        var script = Path.Combine(Repository(), "tests", "doubles-s3", "node_modules", "s3rver", "bin", "s3rver.js");
        if (!File.Exists(script)) throw new FileNotFoundException("s3rver is missing; ./test installs it, or 'npm ci' in tests/doubles-s3.", script);
        var folder = Directory.CreateTempSubdirectory("millrace-s3-").FullName;
        string[] arguments = [script, "-d", folder, "-a", "127.0.0.1", "-p", "0", "-s", "--no-vhost-buckets", "--configure-bucket", Bucket];
        var process = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true })!;
        var server = new S3Server(process, folder);
        using var limit = new CancellationTokenSource(StartLimit);
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (!line.StartsWith("S3rver listening on ", StringComparison.Ordinal)) continue;
            server.Address = new Uri($"http://{line.Split(' ')[^1]}/");
            server._drained = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            return server;
        }

        throw new InvalidOperationException("s3rver did not start.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _drained;
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) return folder.FullName;
        throw new InvalidOperationException("The tests run outside the repository.");
    }
}
