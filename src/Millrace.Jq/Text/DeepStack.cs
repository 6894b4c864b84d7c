using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Millrace.Jq.Text;

/// <summary>
/// Values may nest ten thousand levels deep, more than the stack of the calling thread may have room for. Walks over
/// values go on with a stack of their own when the caller's runs short; depth limits come first, so one is enough.
/// </summary>
internal static class DeepStack
{
    private const int CheckEvery = 32;
    private const int Bytes = 64 << 20;

    /// <summary>True when a walk at that depth should continue in <see cref="Run"/>.</summary>
    public static bool IsShort(int depth) => depth % CheckEvery == CheckEvery - 1 && !RuntimeHelpers.TryEnsureSufficientExecutionStack();

    public static T RunIfShort<T>(Func<T> walk) => RuntimeHelpers.TryEnsureSufficientExecutionStack() ? walk() : Run(walk);

    public static void Run(Action walk) => Run(() =>
    {
        walk();
        return true;
    });

    public static T Run<T>(Func<T> walk)
    {
        var result = default(T);
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = walk();
                }
                catch (Exception e)
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            },
            Bytes);
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }
}
