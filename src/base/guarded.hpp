// A mutex that owns its data: the data cannot be reached without the lock (the shape is KJ's
// MutexGuarded).
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace certpair {

/// Guards a T. Thread-safe. Hold a lock for a few statements only, and never across I/O.
template <class T>
class Guarded {
 public:
  class Locked {
   public:
    T* operator->() { return &value_; }
    T& operator*() { return value_; }
    /// Blocks until `done(value)`, a stop request or `until`; returns done(value) as it is then.
    template <class Clock, class Duration, class Predicate>
    bool WaitUntil(std::stop_token stop, const std::chrono::time_point<Clock, Duration>& until,
                   Predicate done) {
      return changed_.wait_until(lock_, std::move(stop), until, [&] { return done(value_); });
    }
    /// As WaitUntil, for as long as it takes.
    template <class Predicate>
    bool Wait(std::stop_token stop, Predicate done) {
      return changed_.wait(lock_, std::move(stop), [&] { return done(value_); });
    }

   private:
    friend class Guarded;
    Locked(std::mutex& mutex, T& value, std::condition_variable_any& changed)
        : lock_(mutex), value_(value), changed_(changed) {}
    std::unique_lock<std::mutex> lock_;
    T& value_;
    std::condition_variable_any& changed_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  [[nodiscard]] Locked Lock() { return Locked{mutex_, value_, changed_}; }
  [[nodiscard]] Locked Lock() const { return Locked{mutex_, value_, changed_}; }
  void NotifyOne() { changed_.notify_one(); }
  void NotifyAll() { changed_.notify_all(); }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  mutable T value_;
};

}  // namespace certpair
