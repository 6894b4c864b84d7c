using Millrace.Engine.Execution;
using Millrace.Tests.Databases;

namespace Millrace.Engine.Tests.Support;

/// <summary>A class of tests that runs on any database.</summary>
public abstract class EngineSuite(TestDatabases databases)
{
    /// <summary>The next write to die at.</summary>
    private protected int NextDeath(int at) => Story.NextDeath(databases == TestDatabases.Postgres, at);

    internal Task<TestEngine> OpenAsync(EngineSettings? settings = null) => TestEngine.OpenAsync(databases, settings);
}
