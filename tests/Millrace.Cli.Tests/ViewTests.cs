using Millrace.Cli.Api;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Tests;

public sealed class ViewTests
{
    private static string Draw(Finding finding, string source)
    {
        var output = new StringWriter();
        new FindingView(new Terminal(TextReader.Null, output, output), output).Draw([finding], "flow.yaml", source);
        return output.ToString();
    }

    [Fact]
    public void A_located_error_is_drawn_under_the_word_it_is_about()
    {
        var finding = new Finding("error", "workflow.unknown_property", "'cal' is unknown.", 2, 5, "/do/0/a/cal", null, "one of call, do");

        Assert.Equal("""
            error workflow.unknown_property: 'cal' is unknown.
              --> flow.yaml:2:5  (/do/0/a/cal)
               |
             2 |     cal: http
               |     ^^^
               = expected one of call, do


            """, Draw(finding, "do:\n    cal: http\n"));
    }

    [Fact]
    public void A_place_past_the_end_of_the_text_is_told_without_a_line() =>
        Assert.Contains("flow.yaml:9:1", Draw(new Finding("error", "c", "m", 9, 1, null, null, null), "one line"), StringComparison.Ordinal);

    [Fact]
    public void A_long_line_is_shown_around_the_place()
    {
        var drawn = Draw(new Finding("error", "c", "m", 1, 501, null, null, null), new string('a', 500) + " here " + new string('b', 500)).Split('\n');

        Assert.Contains(" here ", drawn[3], StringComparison.Ordinal);
        Assert.True(drawn[3].Length < 200);
    }

    [Fact]
    public void Text_from_elsewhere_cannot_steer_the_screen() =>
        Assert.Equal("a\uFFFD[2Jb\uFFFDc", Terminal.Clean("a\e[2Jb\u202Ec"));

    [Fact]
    public void Progress_counts_tasks_once_however_often_they_run()
    {
        var progress = new RunProgress(3);
        progress.Apply(JsonText.Parse("""{"state":"running"}"""), JsonText.Parse("""
            [{"id":0,"parent":null,"node":0,"name":"loop","state":"running","attempt":1},
             {"id":1,"parent":0,"node":1,"name":"a","state":"completed","attempt":1},
             {"id":2,"parent":0,"node":1,"name":"a","state":"completed","attempt":1}]
            """));

        Assert.Equal((1, 3), progress.Nodes);
        Assert.Equal(2, Assert.Single(progress.Roots).Children.Count);
    }

    [Fact]
    public void Only_steps_whose_state_or_attempt_changed_are_told()
    {
        var progress = new RunProgress(0);
        var run = JsonText.Parse("""{"state":"running"}""");
        progress.Apply(run, JsonText.Parse("""[{"id":0,"state":"running","attempt":1},{"id":1,"state":"running","attempt":1}]"""));

        var changed = progress.Apply(run, JsonText.Parse("""[{"id":0,"state":"running","attempt":1},{"id":1,"state":"running","attempt":2}]"""));

        Assert.Equal([1], changed.Select(c => c.Id));
    }

    [Fact]
    public void A_foreign_answer_becomes_a_problem_that_says_so()
    {
        var problem = Problem.Parse(502, "text/html", "<html>"u8);

        Assert.Equal("server.unexpected_answer", problem.Code);
        Assert.Contains("502", problem.Detail, StringComparison.Ordinal);
    }
}
