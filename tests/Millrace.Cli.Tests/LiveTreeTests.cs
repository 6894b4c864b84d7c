using Millrace.Cli.Views;
using Millrace.Jq;
using Spectre.Console;

namespace Millrace.Cli.Tests;

public sealed class LiveTreeTests
{
    private static string Draw(string run, string steps, int nodes = 4, int lines = 40)
    {
        var progress = new RunProgress(nodes);
        progress.Apply(JsonText.Parse(run), JsonText.Parse(steps));
        var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 120;
        console.Write(LiveTree.Draw(progress, "test/flow:1.0.0", DateTimeOffset.UnixEpoch, lines));
        return output.ToString();
    }

    [Fact]
    public void Steps_stand_under_their_parent_with_state_and_kind()
    {
        var drawn = Draw("""{"state":"running"}""", """
            [{"id":1,"parent":null,"node":0,"name":"loop","kind":"for","state":"running","attempt":1},
             {"id":2,"parent":1,"node":1,"name":"call","kind":"call","state":"completed","attempt":3,"iteration":7}]
            """);

        Assert.Contains("▶ loop for", drawn, StringComparison.Ordinal);
        Assert.Contains("  ✓ call#7 call", drawn, StringComparison.Ordinal);
        Assert.Contains("attempt 3", drawn, StringComparison.Ordinal);
        Assert.Contains("1 of 4 tasks", drawn, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_is_no_higher_than_the_screen()
    {
        var steps = string.Join(",", Enumerable.Range(1, 100).Select(i => $$"""{"id":{{i}},"parent":null,"node":{{i}},"name":"s{{i}}","kind":"set","state":"running","attempt":1}"""));

        var lines = Draw("""{"state":"running"}""", $"[{steps}]", lines: 20).TrimEnd().Split('\n');

        Assert.True(lines.Length <= 20, $"{lines.Length}");
        Assert.Contains("s100", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Earlier_iterations_of_a_loop_are_counted_instead_of_drawn()
    {
        var steps = string.Join(",", Enumerable.Range(2, 50).Select(i => $$"""{"id":{{i}},"parent":1,"node":1,"name":"turn","kind":"set","state":"completed","attempt":1}"""));

        var drawn = Draw("""{"state":"running"}""", $$"""[{"id":1,"parent":null,"node":0,"name":"loop","kind":"for","state":"running","attempt":1},{{steps}}]""");

        Assert.Contains("38 earlier steps are over", drawn, StringComparison.Ordinal);
        Assert.Equal(12, drawn.Split("turn").Length - 1);
    }

    [Fact]
    public void Names_that_look_like_markup_are_drawn_as_they_are() =>
        Assert.Contains("[red]x[/]", Draw("""{"state":"running"}""", """[{"id":1,"parent":null,"node":0,"name":"[red]x[/]","kind":"set","state":"running","attempt":1}]"""), StringComparison.Ordinal);
}
