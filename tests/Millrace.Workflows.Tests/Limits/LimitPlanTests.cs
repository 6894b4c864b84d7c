using System.Text;
using Millrace.Workflows.Limits;

namespace Millrace.Workflows.Tests.Limits;

public sealed class LimitPlanTests
{
    /// <summary>As databases want it: what is no text is refused.</summary>
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    [Fact]
    public void A_long_key_is_cut_between_characters_wherever_they_stand()
    {
        for (var before = 100; before < 200; before++)
        {
            var key = LimitPlan.Text(new string('a', before) + string.Concat(Enumerable.Repeat("\U0001F600", 100)));
            Assert.InRange(key.Length, LimitPlan.KeyMax - 1, LimitPlan.KeyMax);
            Strict.GetBytes(key);
        }
    }

    [Fact]
    public void Long_keys_that_begin_alike_are_two()
    {
        var one = new string('a', 300);
        Assert.NotEqual(LimitPlan.Text(one + "1"), LimitPlan.Text(one + "2"));
        Assert.Equal(LimitPlan.Text(one), LimitPlan.Text(one));
    }
}
