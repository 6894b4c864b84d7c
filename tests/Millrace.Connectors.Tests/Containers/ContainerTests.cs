using Millrace.Connectors.Containers;
using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Containers;

/// <summary>Against a program that has the command line of docker and podman and runs the command where it stands, in place of an image.</summary>
public sealed class ContainerTests : IDisposable
{
    private const string Program = """
        #!/bin/sh
        here=$(dirname "$0")
        printf '%s\n' "$*" >> "$here/calls"
        case "$1" in
          --version) echo "double 1.0" ;;
          ps)
            for name in $(ls "$here/all"); do
              case "$*" in
                *remove-at*) [ -f "$here/all/$name/remove" ] && echo "$name" ;;
                *"$(cat "$here/all/$name/key")"*) echo "$name $(cat "$here/all/$name/state")" ;;
              esac
            done ;;
          inspect)
            shift 5
            for name; do echo "/$name $(cat "$here/all/$name/remove")"; done ;;
          create)
            shift
            while [ $# -gt 0 ]; do
              case "$1" in
                --name) name=$2; mkdir "$here/all/$name"; shift 2 ;;
                --label) case "$2" in millrace.key=*) echo "${2#*=}" > "$here/all/$name/key" ;; *) echo "${2#*=}" > "$here/all/$name/remove" ;; esac; shift 2 ;;
                --env-file) cp "$2" "$here/all/$name/env"; shift 2 ;;
                --pull|--publish|--volume|--env) shift 2 ;;
                --interactive) shift ;;
                *) break ;;
              esac
            done
            [ "$1" = absent ] && { echo "no such image" >&2; exit 125; }
            shift
            for one in "$@"; do printf '%s\n' "$one" | base64 -w0; echo; done > "$here/all/$name/argv"
            echo created > "$here/all/$name/state" ;;
          start)
            for name; do :; done
            [ -f "$here/all/$name/env" ] && { set -a; . "$here/all/$name/env"; set +a; }
            set --
            while read -r one; do set -- "$@" "$(printf '%s' "$one" | base64 -d)"; done < "$here/all/$name/argv"
            echo running > "$here/all/$name/state"
            "$@"
            code=$?
            echo exited > "$here/all/$name/state"
            exit $code ;;
          wait) echo 3 ;;
          logs) echo "what it wrote" ;;
          rm) for name; do :; done; rm -r "$here/all/$name" ;;
        esac
        """;

    private readonly FakeFunctionContext _context = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-test-").FullName;
    private readonly ConnectorFunctions _functions;

    public ContainerTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "all"));
        File.WriteAllText(Path.Combine(_folder, "docker"), Program);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path.Combine(_folder, "docker"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _functions = Create("docker");
    }

    private IFunction Container => _functions.Find("container");

    private string[] Calls => File.ReadAllLines(Path.Combine(_folder, "calls"));

    private string Name => $"millrace-{_context.IdempotencyKey}";

    public void Dispose()
    {
        _functions.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_command_gets_its_input_and_arguments()
    {
        var output = await Container.OutputAsync(_context, """
            {"image": "alpine", "stdin": "Hello World", "command": "input=$(cat)\necho \"STDIN was: $input\"\necho \"ARGS are $1 $2\"", "arguments": ["Foo", "Bar"]}
            """);
        Assert.Equal("STDIN was: Hello World\nARGS are Foo Bar", output.AsString());
    }

    [Theory]
    [InlineData("stdout", "\"out\"")]
    [InlineData("stderr", "\"err\"")]
    [InlineData("code", "0")]
    [InlineData("all", """{"code":0,"stdout":"out","stderr":"err"}""")]
    [InlineData("none", "null")]
    public async Task The_output_is_what_return_asks_for(string wanted, string expected) =>
        Assert.Equal(expected, (await Container.OutputAsync(_context, $$"""{"image": "alpine", "command": "echo out; echo err >&2", "return": "{{wanted}}"}""")).ToString());

    [Fact]
    public async Task What_the_task_says_is_said_to_the_engine()
    {
        await Container.OutputAsync(_context, """
            {"image": "alpine", "name": "mine", "command": "true", "ports": {"8080": 80}, "volumes": {"/srv": "/data"}, "pullPolicy": "always", "environment": {"A": "1 2", "B": "x\ny"}, "lifetime": {"cleanup": "always"}}
            """);
        Assert.Contains($"create --name mine --label millrace.key={_context.IdempotencyKey} --pull always --publish 8080:80 --volume /srv:/data --env-file container.env --env B alpine sh -c true sh", Calls);
        Assert.Contains("rm --force --volumes mine", Calls);
    }

    [Fact]
    public async Task A_container_stays_unless_it_is_to_be_removed()
    {
        await Container.OutputAsync(_context, """{"image": "alpine", "command": "true"}""");
        Assert.Equal([Name], Left());
    }

    [Fact]
    public async Task The_environment_reaches_the_command() =>
        Assert.Equal("1", (await Container.OutputAsync(_context, """{"image": "alpine", "command": "echo $A", "environment": {"A": 1}}""")).AsString());

    [Fact]
    public async Task A_container_that_fails_is_a_runtime_error()
    {
        var error = await Container.ErrorAsync(_context, """{"image": "alpine", "command": "echo bad >&2; exit 7"}""");
        Assert.Equal((ErrorTypes.Runtime, "Process exited with code 7", "bad"), (error.Type, error.Title, error.Detail));
    }

    [Fact]
    public async Task An_image_that_is_not_there_is_told_and_nothing_is_left()
    {
        var error = await Container.ErrorAsync(_context, """{"image": "absent"}""");
        Assert.Contains("no such image", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_after_a_crash_waits_for_the_container_that_is_there()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "all", Name));
        File.WriteAllText(Path.Combine(_folder, "all", Name, "key"), _context.IdempotencyKey);
        File.WriteAllText(Path.Combine(_folder, "all", Name, "state"), "running");
        var output = await Container.OutputAsync(_context, """{"image": "alpine", "command": "true", "return": "all", "lifetime": {"cleanup": "always"}}""");
        Assert.Equal("""{"code":3,"stdout":"what it wrote","stderr":""}""", output.ToString());
        Assert.DoesNotContain(Calls, c => c.StartsWith("create", StringComparison.Ordinal) || c.StartsWith("start", StringComparison.Ordinal));
        Assert.Empty(Left());
    }

    [Fact]
    public async Task A_container_that_is_cancelled_is_removed()
    {
        using var cancel = new CancellationTokenSource();
        _context.OnLive = (_, text) => { if (text.AsString().Contains("ready", StringComparison.Ordinal)) cancel.Cancel(); };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Container.OutputAsync(_context, """{"image": "alpine", "command": "echo ready; sleep 1000"}""", cancel.Token));
        Assert.Empty(Left());
    }

    [Fact]
    public async Task Of_a_worker_that_is_gone_a_container_whose_time_is_over_is_removed_by_whoever_runs_the_next_one()
    {
        var (gone, later) = (new ManualTime(), new ManualTime());
        await Container.OutputAsync(new FakeFunctionContext { Clock = gone }, """{"image": "alpine", "command": "true", "lifetime": {"cleanup": "eventually", "after": {"hours": 1}}}""");
        later.Advance(TimeSpan.FromHours(1));
        using var other = Create("docker");
        await other.Find("container").OutputAsync(new FakeFunctionContext { Clock = later }, """{"image": "alpine", "command": "true", "lifetime": {"cleanup": "always"}}""");
        Assert.Empty(Left());
    }

    [Fact]
    public async Task A_container_that_is_cleaned_up_eventually_stays_until_its_time_and_others_stay_for_good()
    {
        var time = new ManualTime();
        FakeFunctionContext At() => new() { Clock = time };
        await Container.OutputAsync(At(), """{"image": "alpine", "name": "timed", "command": "true", "lifetime": {"cleanup": "eventually", "after": "PT1H"}}""");
        await Container.OutputAsync(At(), """{"image": "alpine", "name": "forever", "command": "true", "lifetime": {"cleanup": "never"}}""");
        time.Advance(TimeSpan.FromMinutes(59));
        await Container.OutputAsync(At(), """{"image": "alpine", "command": "true", "lifetime": {"cleanup": "always"}}""");
        Assert.Equal(["forever", "timed"], Left().Order());
        time.Advance(TimeSpan.FromMinutes(1));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (Left() is not ["forever"]) await pulse.WaitForNextTickAsync(patience.Token);
        // Its volumes that have no name go with it, as with one that is always cleaned up.
        Assert.Contains("rm --force --volumes timed", Calls);
    }

    [Theory]
    [InlineData("""{"image": "--privileged"}""", "/image")]
    [InlineData("""{"image": "alpine", "name": "-x"}""", "/name")]
    [InlineData("""{"image": "alpine", "ports": {"a": 1}}""", "/ports")]
    [InlineData("""{"image": "alpine", "volumes": {"/a": "b"}}""", "/volumes")]
    [InlineData("""{"image": "alpine", "environment": {"A=B": "c"}}""", "/environment")]
    [InlineData("""{"image": "alpine", "lifetime": {"cleanup": "eventually"}}""", "/lifetime/after")]
    public async Task What_is_wrong_is_told_with_its_place(string arguments, string pointer)
    {
        var error = await Container.ErrorAsync(_context, arguments);
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(pointer, error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_an_engine_the_function_says_before_any_call_what_it_lacks()
    {
        using var without = Create("no-such-engine");
        Assert.Equal("no-such-engine on PATH", without.Find("container").Lacks);
        Assert.Null(Container.Lacks);
    }

    [Fact]
    public async Task Without_an_engine_it_is_said_what_is_missing()
    {
        using var functions = Create("no-such-engine");
        Assert.Contains("no-such-engine", (await functions.Find("container").ErrorAsync(_context, """{"image": "alpine"}""")).Detail!, StringComparison.Ordinal);
    }

    private string[] Left() => [.. Directory.GetDirectories(Path.Combine(_folder, "all")).Select(d => Path.GetFileName(d))];

    private ConnectorFunctions Create(string program) => ConnectorFunctions.Create(
        new ConnectorSettings
        {
            Process = new ProcessSettings { Allowed = true, Path = $"{_folder}:{Environment.GetEnvironmentVariable("PATH")}", Grace = TimeSpan.FromMilliseconds(200) },
            Container = new ContainerSettings { Programs = [program] },
        },
        (_, _) => ValueTask.CompletedTask);
}
