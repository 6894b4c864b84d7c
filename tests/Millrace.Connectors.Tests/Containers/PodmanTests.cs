using System.Diagnostics;
using Millrace.Connectors.Containers;
using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Containers;

/// <summary>The real podman with an image of its own making, so that nothing is fetched. Started once for the class.</summary>
public sealed class PodmanImage : IAsyncLifetime
{
    public const string Name = "localhost/millrace-test:latest";

    public string Folder { get; } = Directory.CreateTempSubdirectory("millrace-podman-").FullName;

    /// <summary>Storage apart from the user's own.</summary>
    public IReadOnlyList<string> Options => ["--root", Path.Combine(Folder, "root"), "--runroot", Path.Combine(Folder, "run"), "--runtime", "runc", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"];

    public async ValueTask InitializeAsync()
    {
        var image = Directory.CreateDirectory(Path.Combine(Folder, "image")).FullName;
        foreach (var folder in (string[])["bin", "etc", "tmp", "data"]) Directory.CreateDirectory(Path.Combine(image, folder));
        var busybox = ((string[])["/bin/busybox", "/usr/bin/busybox"]).First(File.Exists);
        File.Copy(busybox, Path.Combine(image, "bin", "busybox"));
        foreach (var applet in (string[])["sh", "cat", "tr", "echo", "sleep", "true"]) File.CreateSymbolicLink(Path.Combine(image, "bin", applet), "busybox");
        await File.WriteAllTextAsync(Path.Combine(image, "etc", "passwd"), "root:x:0:0::/:/bin/sh\n");
        await RunAsync("tar", "-C", image, "-cf", Path.Combine(Folder, "image.tar"), ".");
        await RunAsync("podman", [.. Options, "import", Path.Combine(Folder, "image.tar"), Name]);
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("podman", [.. Options, "rm", "--all", "--force"]);
        Directory.Delete(Folder, recursive: true);
    }

    public static async Task<string> RunAsync(string program, params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {await error}");
    }
}

public sealed class PodmanTests(PodmanImage image) : IClassFixture<PodmanImage>, IDisposable
{
    private readonly FakeFunctionContext _context = new();
    private readonly ConnectorFunctions _functions = ConnectorFunctions.Create(new ConnectorSettings
    {
        Process = new ProcessSettings { Allowed = true },
        Container = new ContainerSettings
        {
            Programs = ["podman"],
            ProgramOptions = image.Options,
            // Inside a container of the tests' own, limits cannot be raised and there is no network to give.
            CreateOptions = ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"],
        },
    }, (_, _) => ValueTask.CompletedTask);

    private IFunction Container => _functions.Find("container");

    private string Name => $"millrace-{_context.IdempotencyKey}";

    public void Dispose() => _functions.Dispose();

    [Fact]
    public async Task A_command_gets_its_input_arguments_and_environment()
    {
        var output = await Container.OutputAsync(_context, Run("""
            "stdin": "hello", "command": "echo \"$(tr a-z A-Z) $1 $A\"; printf '%s' \"$B\"", "arguments": ["Foo"], "environment": {"A": "1 2", "B": "x\ny"}
            """));
        Assert.Equal("HELLO Foo 1 2\nx\ny", output.AsString());
    }

    [Fact]
    public async Task The_output_is_what_return_asks_for_and_a_failure_is_an_error()
    {
        Assert.Equal("""{"code":3,"stdout":"out","stderr":"err"}""", (await Container.OutputAsync(_context, Run("""
            "command": "echo out; echo err >&2; exit 3", "return": "all"
            """))).ToString());
        var error = await Container.ErrorAsync(new FakeFunctionContext(), Run("""
            "command": "echo bad >&2; exit 7"
            """));
        Assert.Equal((ErrorTypes.Runtime, "Process exited with code 7", "bad"), (error.Type, error.Title, error.Detail));
    }

    [Fact]
    public async Task A_volume_of_the_host_is_seen_inside()
    {
        var shared = Directory.CreateDirectory(Path.Combine(image.Folder, $"shared-{Guid.NewGuid():N}")).FullName;
        await Container.OutputAsync(_context, Run($$"""
            "command": "echo written > /data/file", "volumes": {"{{shared}}": "/data"}
            """));
        Assert.Equal("written\n", await File.ReadAllTextAsync(Path.Combine(shared, "file"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("never", true)]
    [InlineData("always", false)]
    public async Task A_container_stays_or_goes_as_its_lifetime_says(string cleanup, bool stays)
    {
        await Container.OutputAsync(_context, Run($$"""
            "command": "true", "lifetime": {"cleanup": "{{cleanup}}"}
            """));
        Assert.Equal(stays, (await NamesAsync()).Contains(Name));
    }

    [Fact]
    public async Task A_container_goes_when_its_time_is_over()
    {
        var time = new ManualTime();
        var context = new FakeFunctionContext { Clock = time };
        var name = $"millrace-{context.IdempotencyKey}";
        await Container.OutputAsync(context, Run("""
            "command": "true", "lifetime": {"cleanup": "eventually", "after": "PT1H"}
            """));
        Assert.Contains(name, await NamesAsync());
        time.Advance(TimeSpan.FromHours(1));
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await NamesAsync()).Contains(name)) await pulse.WaitForNextTickAsync(patience.Token);
    }

    [Fact]
    public async Task An_image_that_is_not_there_is_told_and_nothing_is_left()
    {
        var error = await Container.ErrorAsync(_context, """{"image": "localhost/absent:latest", "pullPolicy": "never"}""");
        Assert.Equal((ErrorTypes.Runtime, "Container failed"), (error.Type, error.Title));
        Assert.Contains("absent", error.Detail!, StringComparison.Ordinal);
        Assert.DoesNotContain(Name, await NamesAsync());
    }

    [Fact]
    public async Task A_container_that_is_cancelled_is_removed()
    {
        using var cancel = new CancellationTokenSource();
        _context.OnLive = (_, text) => { if (text.AsString().Contains("ready", StringComparison.Ordinal)) cancel.Cancel(); };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Container.OutputAsync(_context, Run("\"command\": \"echo ready; sleep 1000\""), cancel.Token));
        Assert.DoesNotContain(Name, await NamesAsync());
    }

    [Fact]
    public async Task An_attempt_after_a_crash_gets_what_the_container_came_to_meanwhile()
    {
        await PodmanImage.RunAsync("podman", [.. image.Options, "run", "--detach", "--name", Name, "--label", $"millrace.key={_context.IdempotencyKey}",
            "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", PodmanImage.Name, "sh", "-c", "echo first; exit 5"]);
        Assert.Equal("""{"code":5,"stdout":"first","stderr":""}""", (await Container.OutputAsync(_context, Run("""
            "command": "echo second", "return": "all"
            """))).ToString());
    }

    private static string Run(string more) => $"{{\"image\": \"{PodmanImage.Name}\", {more}}}";

    private async Task<string[]> NamesAsync() => (await PodmanImage.RunAsync("podman", [.. image.Options, "ps", "--all", "--format", "{{.Names}}"])).Split('\n');
}
